import { toError } from './errors.ts'

/**
 * Something with a beginning and an end.
 *
 * `start` and `stop` may each be called at any time, in any order, any number of times, and
 * together: calls take effect one after another, and a call that repeats the last one joins it.
 * `stop` first refuses new work, then waits for running work until `deadline` (a
 * `Clock.elapsed` reading), then abandons it. After `stop` the service may be started again.
 * `stressLifecycle` in `@tailwater/core/testing` checks all of this.
 */
export interface Service {
  readonly name: string
  start(): Promise<void>
  stop(deadline?: number): Promise<void>
}

/** What a service does when it really starts and stops; never called twice in a row. */
export interface ServiceBody {
  start(): Promise<void> | void
  stop(deadline?: number): Promise<void> | void
}

/**
 * Makes the lifecycle promise out of two plain functions, so that no service writes the bookkeeping again.
 * A failed start leaves the service stopped, and may be tried again.
 */
export function createService(name: string, body: ServiceBody): Service {
  let wanted: 'started' | 'stopped' = 'stopped'
  let running = false
  let turn: Promise<void> = Promise.resolve()

  function take(goal: 'started' | 'stopped', act: () => Promise<void>): Promise<void> {
    if (wanted === goal) return turn
    wanted = goal
    const mine = turn.catch(() => {}).then(act)
    turn = mine
    mine.catch(() => {
      if (turn === mine) {
        wanted = running ? 'started' : 'stopped'
        turn = Promise.resolve()
      }
    })
    return mine
  }

  return {
    name,
    start: () =>
      take('started', async () => {
        if (running) return
        await body.start()
        running = true
      }),
    stop: (deadline) =>
      take('stopped', async () => {
        if (!running) return
        running = false
        await body.stop(deadline)
      }),
  }
}

/** Starts in order; if one fails, stops those already started, last first, and rethrows. */
export async function startAll(services: readonly Service[]): Promise<void> {
  const started: Service[] = []
  try {
    for (const service of services) {
      await service.start()
      started.push(service)
    }
  } catch (error) {
    // Why one did not start is the news; that another did not stop either would only hide it.
    await stopAll(started).catch(() => {})
    throw error
  }
}

/** Stops all in reverse order, each even if another fails; then throws the first failure. */
export async function stopAll(services: readonly Service[], deadline?: number): Promise<void> {
  const failures: Error[] = []
  for (const service of services.toReversed()) {
    await service.stop(deadline).catch((error: unknown) => failures.push(toError(error)))
  }
  if (failures[0]) throw failures[0]
}
