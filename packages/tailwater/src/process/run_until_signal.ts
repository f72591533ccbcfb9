import { type Clock, formatDuration, type Service, sleep, systemClock, toError } from '@tailwater/core'
import { type SignalWatch, watchSignals } from './signals.ts'

/** How a program runs and ends. */
export interface RunOptions {
  clock?: Clock
  /** Milliseconds for requests and jobs in flight. @default 15_000 */
  drainTime?: number
  /** One line for the person at the terminal. */
  say(line: string): void
}

/** Milliseconds for what is closed even when nobody waits for what is in flight. */
const CLOSING_TIME = 2_000

/**
 * Starts `service`, waits for SIGINT, SIGTERM or SIGHUP, and stops it within the drain time. A signal during the start ends the
 * start. A second Ctrl-C, later than the echo of the first, ends the wait for what is in flight.
 *
 * @returns the exit code: 0 stopped, 1 not cleanly, 130 at once
 * @throws what `start` throws, once what had started is stopped
 *
 * @example
 * process.exitCode = await runUntilSignal(service, { say: console.log })
 */
export async function runUntilSignal(
  service: Service,
  { clock = systemClock, drainTime = 15_000, say }: RunOptions,
): Promise<number> {
  const signals = watchSignals(clock)
  const starting = service.start()
  const isUp = await Promise.race([starting.then(() => true), signals.first.then(() => false)]).catch(
    async (error: unknown) => {
      // Why it did not start is the news; that something did not stop either would only hide it.
      await service.stop(clock.elapsed()).catch(() => {})
      throw error
    },
  )
  const signal = await signals.first
  const since = clock.elapsed()
  say(isUp ? farewell(signal) : `Stopping (${signal}), though not everything has started …`)
  const stopping = isUp ? service.stop(since + drainTime) : stopStarting(service, starting, since)
  try {
    if (await isForced(stopping, signals)) {
      await Promise.race([service.stop(clock.elapsed()), sleep(clock, CLOSING_TIME)])
      say('Stopped at once.')
      return 130
    }
    say(`Stopped in ${formatDuration(clock.elapsed() - since)}.`)
    return 0
  } catch (error) {
    say(`Stopped, but not cleanly: ${toError(error).message}`)
    return 1
  }
}

const farewell = (signal: NodeJS.Signals) =>
  signal === 'SIGINT'
    ? 'Stopping: requests in flight are finished first. Press Ctrl-C again to stop at once.'
    : `Stopping (${signal}) …`

const isForced = (stopping: Promise<void>, { again }: SignalWatch): Promise<boolean> =>
  Promise.race([stopping.then(() => false), again.then(() => true)])

/** A start cannot be called off: the ground is taken from under it, and what it still brought up is stopped as well. */
async function stopStarting(service: Service, starting: Promise<void>, deadline: number): Promise<void> {
  await service.stop(deadline)
  // It was expected to fail.
  await starting.catch(() => {})
  await service.stop(deadline)
}
