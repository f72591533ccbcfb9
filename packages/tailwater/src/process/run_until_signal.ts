import { type Clock, formatDuration, type Service, systemClock, toError } from '@tailwater/core'

/** How a program ends. */
export interface RunOptions {
  clock?: Clock
  /** Milliseconds for requests and jobs in flight. @default 15_000 */
  drainTime?: number
  /** One line for the person at the terminal. */
  say(line: string): void
}

/**
 * Milliseconds after the first signal in which more of them are taken for the same keystroke: a terminal signals the
 * whole process group, npm passes its own copy on, and a launcher a third.
 */
const SAME_KEYSTROKE = 2_000

/**
 * Waits for SIGINT, SIGTERM or SIGHUP, then stops `service` within the drain time. A second Ctrl-C, later than the echo of the
 * first, ends the wait for what is in flight. Resolves to the exit code.
 */
export async function runUntilSignal(
  service: Service,
  { clock = systemClock, drainTime = 15_000, say }: RunOptions,
): Promise<number> {
  const signal = await firstSignal()
  const startedAt = clock.elapsed()
  say(
    signal === 'SIGINT'
      ? 'Stopping: requests in flight are finished first. Press Ctrl-C again to stop at once.'
      : `Stopping (${signal}) …`,
  )
  const again = laterSignal(clock, startedAt)
  try {
    const stopped = service.stop(startedAt + drainTime).then(() => 'stopped' as const)
    const how = await Promise.race([stopped, again.then(() => 'forced' as const)])
    if (how === 'forced') {
      await Promise.race([
        service.stop(clock.elapsed()),
        new Promise<void>((resolve) => void clock.after(SAME_KEYSTROKE, resolve)),
      ])
      say('Stopped at once.')
      return 130
    }
    say(`Stopped in ${formatDuration(clock.elapsed() - startedAt)}.`)
    return 0
  } catch (error) {
    say(`Stopped, but not cleanly: ${toError(error).message}`)
    return 1
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The handlers stay: without one, the echo of the first signal would end the process in the middle of its drain. */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.on(signal, resolve)
  })
}

function laterSignal(clock: Clock, firstAt: number): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS)
      process.on(signal, () => {
        if (clock.elapsed() - firstAt > SAME_KEYSTROKE) resolve()
      })
  })
}
