import { type Clock, sleep, toError } from '@tailwater/core'

/** How a part is, or the whole. */
export type HealthState = 'up' | 'degraded' | 'down'

/** What a check found out; nothing at all means up. */
export interface HealthFinding {
  state: HealthState
  /** Why, for an operator; never shown to strangers. */
  reason?: string
  /** Plain data, such as counts. */
  details?: Readonly<Record<string, unknown>>
}

/** A part on which the service depends. */
export interface HealthCheck {
  name: string
  /** Throwing means down. The signal aborts at the timeout; a check that ignores it is left behind. */
  check(signal: AbortSignal): Promise<HealthFinding | void> | HealthFinding | void
  /** Whether the service is down when this part is; otherwise it is degraded. @default true */
  critical?: boolean
}

/** The last finding of one check. */
export interface CheckedHealth extends HealthFinding {
  critical: boolean
  /** Milliseconds the check took. */
  ms: number
  /** Milliseconds since the Unix epoch. */
  checkedAt: number
}

/** A check with its time limit and its memory. */
export interface CheckRunner {
  readonly name: string
  /** The finding, at most `cacheFor` old. Callers meanwhile share one run, so that a flood of probes is one query. */
  run(): Promise<CheckedHealth>
}

/** Prepares one check; times in milliseconds. */
export function createCheckRunner(
  { name, check, critical = true }: HealthCheck,
  { clock, timeout, cacheFor }: { clock: Clock; timeout: number; cacheFor: number },
): CheckRunner {
  let running: Promise<CheckedHealth> | undefined
  let last: { health: CheckedHealth; at: number } | undefined

  async function look(): Promise<CheckedHealth> {
    const startedAt = clock.elapsed()
    const finding = await withTimeout(clock, timeout, async (signal) => check(signal)).catch(
      (error: unknown): HealthFinding => ({
        state: 'down',
        reason: toError(error).message,
      }),
    )
    const health = {
      ...(finding ?? { state: 'up' as const }),
      critical,
      ms: clock.elapsed() - startedAt,
      checkedAt: clock.now(),
    }
    last = { health, at: clock.elapsed() }
    return health
  }

  return {
    name,
    run() {
      if (last && clock.elapsed() - last.at < cacheFor) return Promise.resolve(last.health)
      running ??= look().finally(() => {
        running = undefined
      })
      return running
    },
  }
}

async function withTimeout<T>(clock: Clock, ms: number, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const timeout = new AbortController()
  const settled = new AbortController()
  const limit = sleep(clock, ms, settled.signal).then(() => {
    const error = new Error(`no answer within ${ms} ms`)
    timeout.abort(error)
    throw error
  })
  // The race has one loser, and nobody else looks at it.
  limit.catch(() => {})
  try {
    return await Promise.race([act(timeout.signal), limit])
  } finally {
    settled.abort()
  }
}
