import { type Duration, parseDuration } from '@tailwater/core'

/** What a handler returns, or throws, to have its job back later without the attempt counting. */
export class Snooze {
  /** Milliseconds. */
  readonly delay: number

  constructor(delay: number) {
    this.delay = delay
  }
}

/**
 * Puts a job off: `return snooze('5m')` from its handler. The attempt does not count.
 *
 * @throws E_OPTIONS when it is not a duration
 */
export function snooze(delay: Duration): Snooze {
  return new Snooze(parseDuration(delay, 'snooze'))
}
