import {
  boolean,
  type Duration,
  duration,
  type Fields,
  group,
  integer,
  optional,
  optionsError,
  resolveOptions,
  value,
} from '@tailwater/core'
import type { QueueLimits, Retention } from './backend/maintain_port.ts'
import { type Backoff, resolveBackoff, type Waiting } from './run/backoff.ts'
import { timeLimit } from './time_limit.ts'

/** How many starts within how long: `{ count: 10, per: '1s' }`. */
export interface RateOption {
  count: number
  per: Duration
}

/** How long finished jobs are kept; with `count`, at most so many of the newest. */
export interface KeepOption {
  age: Duration
  count?: number
}

/** One queue. */
export interface QueueOptions {
  /**
   * Jobs that this process runs at once; 0 for a process that only enqueues. With bounds it follows the lag of the queue and the load of the process.
   *
   * @default the engine's `concurrency`
   */
  concurrency?: number | { min: number; max: number }
  /** Of kinds that say nothing of it themselves. @default the engine's `attempts` */
  attempts?: number
  /** Of kinds that say nothing of it themselves. @default exponential from 1 s to 10 min, with a quarter of jitter */
  backoff?: Backoff
  /** Longest time of one attempt, of kinds that say nothing of it themselves. @default none */
  timeout?: Duration | undefined
  /** What holds over all processes. The last process that starts says it. @default none */
  limits?: {
    /** Jobs that run at once. */
    concurrency?: number
    /** Starts. */
    rate?: RateOption
    /** For jobs with a `key`, each key on its own. */
    perKey?: { concurrency?: number; rate?: RateOption }
    /** Within a priority keys take turns. @default false */
    fair?: boolean
  }
  /** @default completed and cancelled 7 days, dead 30 days */
  retention?: {
    /** At most 30 days. */
    completed?: KeepOption | Duration
    cancelled?: KeepOption | Duration
    dead?: KeepOption | Duration
  }
}

/** A queue with every default filled in. */
export interface ResolvedQueue {
  name: string
  concurrency: { min: number; max: number }
  attempts: number
  waiting: Waiting
  /** Milliseconds. */
  timeout: number | undefined
  limits: QueueLimits
  retention: Retention
}

/** Days in milliseconds. */
const DAY = 86_400_000
const MOST_CONCURRENCY = 10_000

const rate = optional(group({ count: integer({ min: 1, max: 1_000_000 }), per: duration({ min: 1, max: DAY }) }))
const limitFields = {
  concurrency: optional(integer({ min: 1, max: 1_000_000 })),
  rate,
  perKey: optional(group({ concurrency: optional(integer({ min: 1, max: 1_000_000 })), rate })),
  fair: boolean({ default: false }),
}
const fields = {
  concurrency: optional(
    value<number | { min: number; max: number }>('a number, or { min, max }', (given) => given !== null),
  ),
  attempts: optional(integer({ min: 1, max: 1_000 })),
  backoff: optional(value<Backoff>('a backoff', () => true)),
  timeout: timeLimit,
  limits: optional(group(limitFields)),
  retention: optional(value<NonNullable<QueueOptions['retention']>>('an object', (given) => typeof given === 'object')),
} satisfies Fields

/** What holds for a queue that says nothing of it. */
export interface QueueDefaults {
  concurrency: number
  attempts: number
}

/** Reads the options of one queue. @throws E_OPTIONS */
export function resolveQueue(
  name: string,
  given: QueueOptions,
  defaults: QueueDefaults,
  path = `createJobs.queues.${name}`,
): ResolvedQueue {
  const said = resolveOptions(path, given, fields)
  return {
    name,
    concurrency: bounds(`${path}.concurrency`, said.concurrency ?? defaults.concurrency),
    attempts: said.attempts ?? defaults.attempts,
    waiting: resolveBackoff(said.backoff, `${path}.backoff`),
    timeout: said.timeout,
    limits: limitsOf(said.limits),
    retention: retentionOf(`${path}.retention`, said.retention),
  }
}

function bounds(path: string, given: unknown): { min: number; max: number } {
  if (typeof given === 'object') {
    const { min, max } = resolveOptions(path, given, {
      min: integer({ min: 1, max: MOST_CONCURRENCY }),
      max: integer({ min: 1, max: MOST_CONCURRENCY }),
    })
    if (min <= max) return { min, max }
    throw optionsError(`${path}.max`, `no less than ${path}.min`, max)
  }
  const number = integer({ min: 0, max: MOST_CONCURRENCY }).parse(given, path)
  return { min: number, max: number }
}

/** Without the names of what is not limited, as stores compare and write it. */
function limitsOf(said: ReturnType<typeof readLimits> | undefined): QueueLimits {
  const { concurrency, rate, perKey, fair } = said ?? {}
  const each = {
    ...(perKey?.concurrency && { concurrency: perKey.concurrency }),
    ...(perKey?.rate && { rate: perKey.rate }),
  }
  return {
    ...(concurrency && { concurrency }),
    ...(rate && { rate }),
    ...(Object.keys(each).length > 0 && { perKey: each }),
    ...(fair && { fair }),
  }
}

const readLimits = (given: unknown) => resolveOptions('limits', given, limitFields)

function retentionOf(path: string, given: QueueOptions['retention']): Retention {
  const said = resolveOptions(path, given, {
    completed: keep({ age: 7 * DAY, most: 30 * DAY }),
    cancelled: keep({ age: 7 * DAY, most: 3_650 * DAY }),
    dead: keep({ age: 30 * DAY, most: 3_650 * DAY }),
  })
  return said
}

function keep({ age, most }: { age: number; most: number }) {
  return {
    parse(given: unknown, path: string): { age: number; count?: number } {
      if (given === undefined) return { age }
      if (typeof given !== 'object') return { age: duration({ max: most }).parse(given, path) }
      const said = resolveOptions(path, given, {
        age: duration({ max: most }),
        count: optional(integer({ min: 0 })),
      })
      return said.count === undefined ? { age: said.age } : { age: said.age, count: said.count }
    },
  }
}
