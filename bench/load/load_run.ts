import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { quantile } from '../harness/statistics.ts'
import type { Address, LoadOutcome, LoadPlan } from './plan.ts'
import { ResponseReader } from './response_reader.ts'

/** Every so many bodies one is compared whole; of all others status and length. */
const BODY_CHECK_EVERY = 50
const READ_BUFFER = 65_536

/**
 * One run of a plan: as many connections as asked for, each sending its next request when the last is answered.
 *
 * Modes: warming up; counting; draining, when nothing new is sent but every answer is waited for, so that a slow server does not take
 * its backlog into the next round.
 */
export class LoadRun {
  readonly #plan: LoadPlan
  readonly #requests: Buffer[]
  readonly #latencies: number[] = []
  #answered = 0
  #mode: 'warming up' | 'counting' | 'draining' = 'warming up'
  #random: number
  #bytes = 0
  #wrong = 0
  #firstWrong: string | undefined
  #bodiesChecked = 0
  #sinceBodyCheck = 0

  constructor(plan: LoadPlan) {
    this.#plan = plan
    this.#random = plan.seed >>> 0
    this.#requests = plan.addresses.map(({ path }) =>
      Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${plan.port}\r\n\r\n`),
    )
  }

  /** @throws when a connection breaks */
  async run(): Promise<LoadOutcome> {
    const ends = Array.from({ length: this.#plan.connections }, () => this.#connection())
    const broken = Promise.race(ends.map((end) => end.then(() => new Promise<never>(() => {}))))
    await Promise.race([broken, pause(this.#plan.warmUp)])
    this.#mode = 'counting'
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    await Promise.race([broken, pause(this.#plan.measure)])
    this.#mode = 'draining'
    const elapsed = performance.now() - startedAt
    const { user, system } = process.cpuUsage(cpu)
    await Promise.all(ends)
    return this.#outcome(elapsed, (user + system) / 1_000)
  }

  #outcome(elapsed: number, cpu: number): LoadOutcome {
    const sorted = Float64Array.from(this.#latencies).sort()
    return {
      requests: sorted.length,
      answered: this.#answered,
      requestsPerSecond: sorted.length / (elapsed / 1_000),
      p50: quantile(sorted, 0.5),
      p95: quantile(sorted, 0.95),
      p99: quantile(sorted, 0.99),
      max: quantile(sorted, 1),
      bytes: this.#bytes,
      wrong: this.#wrong,
      firstWrong: this.#firstWrong,
      bodiesChecked: this.#bodiesChecked,
      cpuShare: cpu / elapsed,
    }
  }

  /** Resolves when the drain has let it go. */
  #connection(): Promise<void> {
    return new Promise((resolve, reject) => {
      const reader = new ResponseReader()
      let asked = 0
      let sentAt = 0
      const send = () => {
        asked = this.#draw()
        sentAt = performance.now()
        socket.write(this.#requests[asked]!)
      }
      const receive = (count: number, buffer: Uint8Array) => {
        const response = reader.take(Buffer.from(buffer.buffer, buffer.byteOffset, count))
        if (!response) return true
        this.#count(performance.now() - sentAt, response.size)
        this.#check(this.#plan.addresses[asked]!, response.status, response.body)
        if (this.#mode === 'draining') {
          resolve()
          socket.destroy()
        } else send()
        return true
      }
      const socket: Socket = connect({
        host: '127.0.0.1',
        port: this.#plan.port,
        noDelay: true,
        onread: { buffer: Buffer.allocUnsafe(READ_BUFFER), callback: guarded(receive, reject) },
      })
      socket.once('connect', send)
      socket.once('error', reject)
      // After the drain's own end this comes too late to matter.
      socket.once('close', () => reject(new Error('the server closed a connection')))
    })
  }

  #count(latency: number, size: number): void {
    this.#answered++
    if (this.#mode !== 'counting') return
    this.#latencies.push(latency)
    this.#bytes += size
  }

  #check(expected: Address, status: number, body: Buffer): void {
    if (status !== 200) this.#blame(`${expected.path} answered ${status}: ${body.toString('utf8', 0, 300)}`)
    else if (body.length !== expected.bytes)
      this.#blame(`${expected.path} has ${body.length} bytes, not ${expected.bytes}`)
    else if (++this.#sinceBodyCheck >= BODY_CHECK_EVERY) this.#checkBody(expected, body)
  }

  #checkBody(expected: Address, body: Buffer): void {
    this.#sinceBodyCheck = 0
    this.#bodiesChecked++
    if (digestOf(body) !== expected.digest) this.#blame(`${expected.path} has another body than before`)
  }

  #blame(what: string): void {
    this.#wrong++
    this.#firstWrong ??= what
  }

  /** Which address is next: a linear congruential generator (Numerical Recipes), good enough to choose and the same in every run. */
  #draw(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#random / 2 ** 32) * this.#requests.length)
  }
}

/** SHA-256 in base64. */
export function digestOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('base64')
}

function guarded(receive: (count: number, buffer: Uint8Array) => boolean, fail: (error: unknown) => void) {
  return (count: number, buffer: Uint8Array) => {
    try {
      return receive(count, buffer)
    } catch (error) {
      fail(error)
      return false
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
