import {
  type Duration,
  duration,
  type Fields,
  integer,
  optional,
  optionsError,
  resolveOptions,
  text,
  value,
} from '@tailwater/core'
import { type Backoff, resolveBackoff } from '@tailwater/jobs'
import { type Level, levels } from '../message.ts'

/** How a durable subscription is kept and served. */
export interface SubscriptionOptions {
  /** Handlers that this process runs at once; with bounds it follows the lag of the subscription and the load of the process. 0: it only declares. @default 10 */
  concurrency?: number | { min: number; max: number }
  /** Messages that this process holds at most, those that wait for a handler included. @default as many as there are handlers */
  prefetch?: number
  /** Attempts before a message is a dead letter. @default 5 */
  attempts?: number
  /** Waits between them. @default 1, 2, 4 … seconds, at most ten minutes */
  backoff?: Backoff
  /** Longest time of an attempt. @default '30s' */
  timeout?: Duration
  /** Levels that are kept apart, so that the higher have the larger part; one order for all without it. @default ['normal'] */
  levels?: readonly Level[]
  /** What nobody has begun within this time is not given any more. */
  ttl?: Duration
  /** Messages that wait at most; more are refused to publishers. */
  maxLength?: number
  /** Consumers that a message may kill before it is taken for poison. @default 3 */
  maxCrashes?: number
  /** Name of a policy: while its breaker is open, nothing is taken. */
  breaker?: string
}

/** Most handlers at once, and most messages held. */
const MOST = 10_000

const fields = {
  concurrency: value<number | { min: number; max: number }>('a number, or { min, max }', () => true, { default: 10 }),
  prefetch: optional(integer({ min: 1, max: MOST })),
  attempts: integer({ min: 1, max: 1_000, default: 5 }),
  backoff: optional(value<Backoff>('a backoff', () => true)),
  timeout: duration({ min: 1, default: '30s' }),
  levels: value<readonly Level[]>(
    `an array of ${levels.join(', ')}`,
    (given) => Array.isArray(given) && given.length > 0 && given.every((level) => levels.includes(level as Level)),
    { default: ['normal'] },
  ),
  ttl: optional(duration({ min: 1 })),
  maxLength: optional(integer({ min: 1 })),
  maxCrashes: integer({ min: 0, max: 100, default: 3 }),
  breaker: optional(text()),
} satisfies Fields

/** Options of a subscription, checked. */
export type ResolvedSubscription = ReturnType<typeof resolveSubscriptionOptions>

/** @throws E_OPTIONS */
export function resolveSubscriptionOptions(name: string, given: SubscriptionOptions | undefined) {
  const path = `subscription '${name}'`
  const { concurrency, backoff, ...rest } = resolveOptions(path, given, fields)
  const bounds = boundsOf(`${path}.concurrency`, concurrency)
  if (rest.prefetch !== undefined && rest.prefetch < bounds.max)
    throw optionsError(`${path}.prefetch`, `no less than the concurrency, ${bounds.max}`, rest.prefetch)
  return { ...rest, concurrency: bounds, waiting: resolveBackoff(backoff, `${path}.backoff`) }
}

function boundsOf(path: string, given: unknown): { min: number; max: number } {
  if (typeof given !== 'object') {
    const number = integer({ min: 0, max: MOST }).parse(given, path)
    return { min: number, max: number }
  }
  const { min, max } = resolveOptions(path, given, {
    min: integer({ min: 1, max: MOST }),
    max: integer({ min: 1, max: MOST }),
  })
  if (min <= max) return { min, max }
  throw optionsError(`${path}.max`, `no less than ${path}.min`, max)
}
