import assert from 'node:assert/strict'
import type { Turn } from '../../backend/work_port.ts'
import type { Job, JobEnd, NewJob } from '../../job.ts'
import { keepAll, LEASE, newJob, type Subject, sorted } from './subject.ts'

const queues = ['mail', 'sms']
const workers = ['a', 'b', 'c']

type Attempt = { id: string; attempt: number }

/**
 * One random walk through two backends that must not be told apart.
 *
 * No two jobs that have not ended share a priority, and no two times are equal, so that there is one right order.
 */
export class Walk {
  readonly #both: readonly [Subject, Subject]
  readonly #lines: string[] = []
  readonly #ids: string[] = []
  readonly #held = new Map<string, Attempt[]>(workers.map((worker) => [worker, []]))
  #state: number
  #times = 0
  #priorities = 0

  constructor(seed: number, reference: Subject, subject: Subject) {
    this.#state = (seed % 2147483646) + 1
    this.#both = [reference, subject]
  }

  /** What has been done, a line for each step. */
  told(): string {
    return this.#lines.join('\n')
  }

  async step(): Promise<void> {
    const steps: [number, () => Promise<void>][] = [
      [6, () => this.#add()],
      [8, () => this.#turn()],
      [3, () => this.#pass()],
      [1, () => this.#crash()],
      [1, () => this.#leave()],
      [3, () => this.#operate()],
      [1, () => this.#configure()],
      [1, () => this.#bites()],
    ]
    let draw = this.#below(steps.reduce((sum, [weight]) => sum + weight, 0))
    const [, act] = steps.find(([weight]) => {
      draw -= weight
      return draw < 0
    })!
    await act()
    await this.#compare()
  }

  /** Park and Miller's minimal standard generator. */
  #below(limit: number): number {
    this.#state = (this.#state * 48271) % 2147483647
    return this.#state % limit
  }

  #oneOf<T>(values: readonly T[]): T {
    return values[this.#below(values.length)]!
  }

  /** A length of time that no other has had, in milliseconds. */
  #time(): number {
    return 1_000 * (1 + this.#below(20)) + ++this.#times * 7
  }

  async #same<T>(line: string, act: (subject: Subject) => Promise<T>): Promise<T> {
    this.#lines.push(line)
    const wanted = await act(this.#both[0])
    assert.deepEqual(await act(this.#both[1]), wanted, line)
    return wanted
  }

  #job(depth = 0): NewJob {
    const isUnique = depth === 0 && this.#below(4) === 0
    const children = depth < 2 && this.#below(6) === 0 ? [this.#job(depth + 1), this.#job(depth + 1)] : undefined
    const job = newJob({
      queue: this.#oneOf(queues),
      priority: this.#priorities++ % 256,
      maxAttempts: 1 + this.#below(6),
      ...(this.#below(3) === 0 && { delay: this.#time() }),
      ...(this.#below(2) === 0 && { key: this.#oneOf(['x', 'y']) }),
      ...(isUnique && { unique: this.#unique() }),
      ...(children && { children, onChildFailure: this.#oneOf(['fail', 'ignore']) }),
    })
    this.#ids.push(job.id)
    return job
  }

  #unique() {
    const key = this.#oneOf(['u1', 'u2', 'u3'])
    return { key, replace: this.#below(2) === 0, ...(this.#below(2) === 0 && { ttl: this.#time() }) }
  }

  async #add(): Promise<void> {
    const jobs = Array.from({ length: 1 + this.#below(4) }, () => this.#job())
    await this.#same(`add ${JSON.stringify(jobs)}`, ({ backend }) => backend.jobs.add(jobs))
  }

  async #turn(): Promise<void> {
    const worker = this.#oneOf(workers)
    const held = this.#held.get(worker)!
    const ends = held.filter(() => this.#below(2) === 0).map((attempt) => this.#end(attempt))
    const wants = queues.map((queue) => ({ queue, count: this.#below(4) }))
    const reconcile = this.#below(5) === 0 ? held.map(({ id }) => id) : undefined
    const turn: Turn = {
      worker,
      lease: LEASE,
      ends,
      wants,
      ...(reconcile && { reconcile: reconcile.filter((id) => !ends.some((end) => end.id === id)) }),
    }
    const { claimed } = await this.#same(`turn ${JSON.stringify(turn)}`, async ({ backend }) => {
      const { nextIn, ...reply } = await backend.work.turn(turn)
      for (const list of [reply.refused, reply.lost, reply.cancelled]) list.sort()
      return { ...reply, buried: sorted(reply.buried.map(({ id }) => id)) }
    })
    const told = new Set(ends.map(({ id }) => id))
    const again = new Set(claimed.map(({ id, attempt }) => `${id} ${attempt}`))
    const kept = held.filter(({ id, attempt }) => !told.has(id) && !again.has(`${id} ${attempt}`))
    this.#held.set(worker, [...kept, ...claimed])
  }

  #end({ id, attempt }: Attempt): JobEnd {
    const end = { id, attempt }
    switch (this.#below(6)) {
      case 0:
        return { ...end, outcome: 'failed', error: 'no', delay: this.#time() }
      case 1:
        return { ...end, outcome: 'dead', error: 'never' }
      case 2:
        return { ...end, outcome: 'cancelled', error: 'unwanted' }
      case 3:
        return { ...end, outcome: 'snoozed', delay: this.#time() }
      default:
        return { ...end, outcome: 'completed', result: '1' }
    }
  }

  /** Time passes, and what follows from it alone is done. */
  async #pass(): Promise<void> {
    const ms = this.#oneOf([113, 1_013, 10_013])
    this.#lines.push(`pass ${ms}`)
    for (const subject of this.#both) await subject.advance(ms)
    await this.#settle()
  }

  /** All leases end but those that are renewed at once. */
  async #crash(): Promise<void> {
    const survivors = workers.filter(() => this.#below(2) === 0)
    this.#lines.push(`crash all but ${survivors}`)
    for (const subject of this.#both) await subject.advance(LEASE / 2)
    await this.#settle()
    for (const subject of this.#both) {
      for (const worker of survivors) await subject.turn(worker)
      await subject.advance(LEASE / 2 + 7)
    }
    await this.#settle()
  }

  async #settle(): Promise<void> {
    await this.#same('sweep', async ({ backend }) => {
      const buried: string[] = []
      for (let rounds = 0; rounds < 3; rounds++)
        buried.push(...(await backend.maintain.sweep()).buried.map(({ id }) => id))
      return sorted(buried)
    })
  }

  async #leave(): Promise<void> {
    const worker = this.#oneOf(workers)
    this.#held.set(worker, [])
    await this.#same(`leave ${worker}`, ({ backend }) => backend.work.leave(worker))
  }

  async #operate(): Promise<void> {
    if (this.#ids.length === 0) return
    const id = this.#oneOf(this.#ids)
    const act = this.#oneOf(['cancel', 'retry', 'remove', 'edit'] as const)
    const change = { payload: `{"n":${this.#times}}`, priority: this.#priorities++ % 256, queue: this.#oneOf(queues) }
    await this.#same(`${act} ${id} ${JSON.stringify(change)}`, ({ backend: { maintain } }) =>
      act === 'edit' ? maintain.edit(id, change) : maintain[act](id),
    )
  }

  async #configure(): Promise<void> {
    const queue = this.#oneOf(queues)
    const limits = this.#oneOf([
      {},
      { concurrency: 2 },
      { perKey: { concurrency: 1 } },
      { rate: { count: 4, per: 2_000 } },
      { concurrency: 3, perKey: { concurrency: 2, rate: { count: 2, per: 1_000 } } },
    ])
    await this.#same(`configure ${queue} ${JSON.stringify(limits)}`, ({ backend: { maintain } }) =>
      maintain.configure(queue, limits, keepAll),
    )
    const act = this.#below(4) === 0 ? 'pause' : 'resume'
    await this.#same(`${act} ${queue}`, ({ backend: { maintain } }) => maintain[act](queue))
  }

  async #bites(): Promise<void> {
    const queue = this.#oneOf(queues)
    const act = this.#below(3)
    await this.#same(`bite ${act} ${queue}`, ({ backend: { maintain } }) => {
      if (act === 0) return maintain.redrive({ queue, states: ['dead'] }, 100)
      if (act === 1) return maintain.clean({ queue, states: ['completed', 'cancelled'] }, 30_000, 100)
      return maintain.erase('x', 100)
    })
  }

  async #compare(): Promise<void> {
    const states = await Promise.all(this.#both.map((subject) => stateOf(subject)))
    assert.deepEqual(states[1], states[0])
  }
}

async function stateOf({ backend: { inspect } }: Subject) {
  const { jobs } = await inspect.list({}, { limit: 10_000 })
  const counts = Object.fromEntries(
    await Promise.all(queues.map(async (queue) => [queue, await inspect.counts(queue)])),
  )
  // Which of several children that end in one step is the first is open.
  const shown = (job: Job) => (job.error?.startsWith('E_JOB_CHILD') ? { ...job, error: 'E_JOB_CHILD' } : job)
  return { jobs: Object.fromEntries(jobs.map((job: Job) => [job.id, shown(job)])), counts }
}
