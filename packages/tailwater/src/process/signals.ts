import type { Clock } from '@tailwater/core'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Milliseconds after the first signal in which more of them are taken for the same keystroke: a terminal signals the
 * whole process group, npm passes its own copy on, and a launcher a third.
 */
const SAME_KEYSTROKE = 2_000

/** Signals that ask the process to end. */
export interface SignalWatch {
  /** Resolves with the first. */
  readonly first: Promise<NodeJS.Signals>
  /** Resolves with the first that is no echo of that one. */
  readonly again: Promise<void>
}

/** Takes the signals for the rest of the process's life: without a handler, an echo would end it in the middle of its drain. */
export function watchSignals(clock: Clock): SignalWatch {
  const first = Promise.withResolvers<NodeJS.Signals>()
  const again = Promise.withResolvers<void>()
  let firstAt: number | undefined
  for (const name of SIGNALS)
    process.on(name, () => {
      if (firstAt === undefined) {
        firstAt = clock.elapsed()
        first.resolve(name)
      } else if (clock.elapsed() - firstAt > SAME_KEYSTROKE) again.resolve()
    })
  return { first: first.promise, again: again.promise }
}
