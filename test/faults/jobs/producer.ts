import { sleep, systemClock, TailwaterError } from '@tailwater/core'
import type { Jobs, Kind } from '@tailwater/jobs'
import type { Work } from './work.ts'

type Random = (low: number, high: number) => number

/** How jobs are enqueued. */
export interface ProducerOptions {
  jobs: Jobs
  work: Kind<Work>
  random: Random
  /** Jobs to be confirmed in all. */
  total: number
  /** Whether to wait, so that enqueueing and working go on at the same time. */
  isAhead(confirmed: number): boolean
  /** Milliseconds of a handler, from and to. @default [0, 20] */
  ms?: readonly [number, number]
}

/** What was promised to a producer. */
export interface Produced {
  /** Numbers by the ids whose enqueueing was confirmed. */
  readonly confirmed: Map<string, number>
  /** When each was confirmed, by `systemClock.elapsed`. */
  readonly confirmedAt: Map<string, number>
  /** Numbers of jobs with an enqueueing that failed, which may have been stored all the same. */
  readonly doubtful: Set<number>
  /** Errors that are no sign of a store that is away. */
  readonly surprises: string[]
}

/** Enqueueings at once. */
const LANES = 6

/** Jobs of all priorities, one in ten delayed, one in ten failing at first, one in a hundred for good. */
export function workOf(n: number, random: Random, [from, to]: readonly [number, number] = [0, 20]): Work {
  const dice = random(1, 100)
  const fate = dice === 1 ? 'hopeless' : 'well'
  return { n, ms: random(from, to), failures: dice > 90 ? random(1, 2) : 0, fate }
}

/** Enqueues until all is confirmed, and what was not confirmed again; alone and in batches. `produced` is filled meanwhile. */
export async function produce(options: ProducerOptions, produced: Produced, isOver = () => false): Promise<void> {
  let next = 0
  const take = (): Work[] => {
    const count = Math.min(options.random(0, 1) === 0 ? 20 : 1, options.total - next)
    return Array.from({ length: count }, () => workOf(next++, options.random, options.ms))
  }
  async function lane(): Promise<void> {
    while (next < options.total && !isOver()) {
      if (options.isAhead(produced.confirmed.size)) {
        await sleep(systemClock, 5)
        continue
      }
      const some = take()
      while (!isOver() && !(await enqueue(options, some, produced))) await sleep(systemClock, 50)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

export function newProduced(): Produced {
  return { confirmed: new Map(), confirmedAt: new Map(), doubtful: new Set(), surprises: [] }
}

async function enqueue({ jobs, work, random }: ProducerOptions, some: Work[], produced: Produced): Promise<boolean> {
  const how = () => {
    const priority = random(0, 3) * 64
    return random(1, 10) === 1 ? { priority, delay: random(1, 1_500) } : { priority }
  }
  try {
    const ids =
      some.length === 1
        ? [await work.enqueue(some[0]!, how())]
        : (await jobs.enqueueMany(some.map((one) => work.job(one, how())))).map(({ id }) => id)
    for (const [at, id] of ids.entries()) {
      produced.confirmed.set(id, some[at]!.n)
      produced.confirmedAt.set(id, systemClock.elapsed())
    }
    return true
  } catch (error) {
    for (const { n } of some) produced.doubtful.add(n)
    if (!isAway(error)) produced.surprises.push(String(error))
    return false
  }
}

/** Whether a call failed because the store, or its replicas, could not be reached. */
export function isAway(error: unknown): boolean {
  return error instanceof TailwaterError && /^E_(REDIS_|DATABASE_|JOBS_REPLICAS)/.test(error.code)
}
