import { type Duration, optionsError, parseDuration } from '@tailwater/core'

/** How long a failed job waits for its next attempt. */
export type Backoff =
  | {
      type: 'exponential' | 'linear' | 'fixed'
      /** Wait before the second attempt; doubles (exponential) or grows by itself (linear) with each. @default '1s' */
      delay?: Duration
      /** Longest wait. @default '10m' */
      max?: Duration
      /** Share of the wait that is left to chance, from 0 to 1, so that jobs that failed together do not come back together. @default 0.25 */
      jitter?: number
    }
  | BackoffFunction

/** Milliseconds (or a duration) to wait after failed attempt number `attempt`, from 1. */
export type BackoffFunction = (attempt: number, error: Error) => Duration

/** The wait in milliseconds. */
export type Waiting = (attempt: number, error: Error) => number

/** What kinds wait that say nothing of it: 1, 2, 4 … seconds, at most ten minutes, so that an outage of hours is noticed soon after its end. */
const USUAL = { type: 'exponential', delay: 1_000, max: 600_000, jitter: 0.25 } as const

/** Reads a backoff. @throws E_OPTIONS */
export function resolveBackoff(given: Backoff = USUAL, path = 'backoff', random: () => number = Math.random): Waiting {
  if (typeof given === 'function')
    return (attempt, error) => Math.round(parseDuration(given(attempt, error), `${path}(${attempt})`))
  if (!given || !Object.hasOwn(growth, given.type))
    throw optionsError(`${path}.type`, "'exponential', 'linear', 'fixed', or a function", given?.type)
  const { type, jitter = USUAL.jitter } = given
  const delay = parseDuration(given.delay ?? USUAL.delay, `${path}.delay`)
  const max = parseDuration(given.max ?? USUAL.max, `${path}.max`)
  if (!(jitter >= 0 && jitter <= 1)) throw optionsError(`${path}.jitter`, 'a number from 0 to 1', jitter)
  return (attempt) => Math.round(Math.min(delay * growth[type](attempt), max) * (1 + random() * jitter))
}

const growth = {
  exponential: (attempt: number) => 2 ** (attempt - 1),
  linear: (attempt: number) => attempt,
  fixed: () => 1,
}
