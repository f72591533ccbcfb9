// A process of its own that asks for products as shoppers do: few of them often, most of them hardly ever; and changes some.
import { Agent, request } from 'node:http'
import { createZipf, seededRandom } from './zipf.ts'
import type { ZipfOutcome, ZipfPlan } from './zipf_plan.ts'

interface Shown {
  id: number
  version: number
}

/** Runs a plan. */
export async function runZipf(plan: ZipfPlan): Promise<ZipfOutcome> {
  const run = new ZipfRun(plan)
  const until = performance.now() + plan.measure
  await Promise.all(
    Array.from({ length: plan.connections }, async () => {
      while (performance.now() < until) await run.step()
    }),
  )
  run.close()
  return run.outcome()
}

class ZipfRun {
  readonly #plan: ZipfPlan
  readonly #agent: Agent
  readonly #random
  readonly #rank
  /** The newest version of each product that a change was answered with. */
  readonly #versions = new Map<number, number>()
  readonly #asked = new Set<number>()
  readonly #reads: number[] = []
  readonly #writes: number[] = []
  #outdated = 0
  #refused = 0
  #wrong = 0

  constructor(plan: ZipfPlan) {
    this.#plan = plan
    this.#agent = new Agent({ keepAlive: true, maxSockets: plan.connections })
    this.#random = seededRandom(plan.seed)
    this.#rank = createZipf(plan.ids.length, plan.exponent, this.#random)
  }

  async step(): Promise<void> {
    const id = this.#plan.ids[this.#rank()]!
    const begun = performance.now()
    if (this.#random() < this.#plan.writes) {
      const price = Math.round(this.#random() * 10_000) / 100
      const shown = await this.#ask('PATCH', id, JSON.stringify({ price }))
      this.#writes.push(performance.now() - begun)
      if (shown) this.#versions.set(id, Math.max(this.#versions.get(id) ?? 0, shown.version))
      return
    }
    this.#asked.add(id)
    const atLeast = this.#versions.get(id) ?? 0
    const shown = await this.#ask('GET', id)
    this.#reads.push(performance.now() - begun)
    if (shown && shown.version < atLeast) this.#outdated++
  }

  close(): void {
    this.#agent.destroy()
  }

  outcome(): ZipfOutcome {
    const requests = this.#reads.length + this.#writes.length
    return {
      requests,
      requestsPerSecond: requests / (this.#plan.measure / 1_000),
      readP95: p95(this.#reads),
      writeP95: p95(this.#writes),
      products: this.#asked.size,
      outdated: this.#outdated,
      refused: this.#refused,
      wrong: this.#wrong,
    }
  }

  async #ask(method: string, id: number, body?: string): Promise<Shown | undefined> {
    const { status, text } = await this.#send(method, `/api/products/${id}`, body)
    const shown = status === 200 ? (JSON.parse(text) as Shown) : undefined
    if (shown?.id === id) return shown
    // Of a server that protects itself while the machine has no time for it.
    if (status === 503) this.#refused++
    else this.#wrong++
    return undefined
  }

  #send(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
    const { port, token } = this.#plan
    const headers = body ? { authorization: `Bearer ${token}`, 'content-type': 'application/json' } : {}
    return new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: this.#agent }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode!, text }))
        response.on('error', reject)
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
}

function p95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN
}

process.on('message', (plan: ZipfPlan) => {
  runZipf(plan).then(
    (outcome) => process.send!({ outcome }),
    (error: Error) => process.send!({ error: error.message }),
  )
})
process.on('disconnect', () => process.exit(0))
