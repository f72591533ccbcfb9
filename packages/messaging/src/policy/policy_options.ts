import {
  type Duration,
  duration,
  type Fields,
  group,
  integer,
  number,
  optional,
  optionsError,
  resolveOptions,
  value,
} from '@tailwater/core'
import { type Backoff, resolveBackoff } from '@tailwater/jobs'

/** How calls to others are guarded. What is left out is not done. */
export interface PolicyOptions {
  /** Longest time of one call; its signal is aborted then. */
  timeout?: Duration
  /** Calls in all, and the waits between them. */
  retry?: { attempts: number; backoff?: Backoff }
  /** Calls at once in this process, and how many more may wait. @default queue: 0 */
  bulkhead?: { limit: number; queue?: number }
  /** Opens after so many failures in a row, or when a share of the calls of a window failed; then nobody calls for a while, and one call tries. */
  breaker?: ({ failures: number } | { share: number; window: Duration; atLeast?: number }) & {
    /** Until one call tries. @default '10s' */
    halfOpenAfter?: Duration
  }
}

const breakerFields = {
  failures: optional(integer({ min: 1 })),
  share: optional(number({ min: 0.01, max: 1 })),
  window: optional(duration({ min: 100 })),
  atLeast: optional(integer({ min: 1 })),
  halfOpenAfter: duration({ min: 1, default: '10s' }),
} satisfies Fields

const fields = {
  timeout: optional(duration({ min: 1 })),
  retry: optional(group({ attempts: integer({ min: 1 }), backoff: optional(value<Backoff>('a backoff', () => true)) })),
  bulkhead: optional(group({ limit: integer({ min: 1 }), queue: integer({ min: 0, default: 0 }) })),
  breaker: optional(group(breakerFields)),
} satisfies Fields

/** Options of a policy, checked. */
export type ResolvedPolicy = ReturnType<typeof resolvePolicyOptions>

/** @throws E_OPTIONS */
export function resolvePolicyOptions(name: string, given: PolicyOptions) {
  const path = `policy '${name}'`
  const { breaker, retry, ...rest } = resolveOptions(path, given, fields)
  if (breaker && (breaker.failures === undefined) === (breaker.share === undefined))
    throw optionsError(`${path}.breaker`, 'given either failures, or share and window', undefined)
  if (breaker?.share !== undefined && breaker.window === undefined)
    throw optionsError(`${path}.breaker.window`, 'a duration', undefined)
  return {
    ...rest,
    breaker,
    retry: retry && { attempts: retry.attempts, waiting: resolveBackoff(retry.backoff, `${path}.retry.backoff`) },
  }
}
