/** Calls after which a caller looks at the clock: looking costs as much as a tenth of the fastest call. */
const CALLS_PER_LOOK = 20

/**
 * Runs callers that each ask again when they have their answer, until the time is over.
 *
 * @param ask makes so many calls, one after the other
 * @returns how many calls were answered
 */
export async function closedLoop(
  callers: number,
  duration: number,
  ask: (calls: number) => Promise<void>,
): Promise<number> {
  const end = performance.now() + duration
  let calls = 0
  const caller = async () => {
    while (performance.now() < end) {
      await ask(CALLS_PER_LOOK)
      calls += CALLS_PER_LOOK
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return calls
}
