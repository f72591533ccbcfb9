import { backgroundError, type ServiceBody, toError } from '@tailwater/core'
import type { Coherence } from '../coherence/coherence.ts'
import type { CacheCore } from '../core.ts'
import type { BuiltNamespace } from '../namespace/build_namespace.ts'
import { createSweeper } from './sweeper.ts'

/** Milliseconds that running work is waited for at the stop when nobody said how long. */
const DRAIN_MS = 10_000

/**
 * What a cache does at its start and stop.
 *
 * A store or a bus that is away holds no start up: the cache works without it, and finds it when it is back. At the stop what write-behind holds is stored first, then
 * what runs in the background may finish, until the deadline.
 */
export function createLifecycle(
  core: CacheCore,
  coherence: Coherence,
  namespaces: () => Iterable<BuiltNamespace<never, never>>,
): ServiceBody {
  const { clock, far, flights } = core
  const sweeper = createSweeper(clock, () => coherence.effects.tiers())
  let warming = new AbortController()

  function warm(): void {
    warming = new AbortController()
    const { signal } = warming
    for (const { namespace, isWarmed } of namespaces()) {
      if (!isWarmed) continue
      const work = namespace.warm(undefined, { signal }).then(({ error }) => {
        if (error) report(namespace.name, error)
      })
      flights.inBackground(
        work.catch((error: unknown) => {
          if (!signal.aborted) report(namespace.name, error)
        }),
      )
    }
  }

  return {
    async start() {
      await far?.service.start()
      await coherence.start()
      await sweeper.start()
      warm()
    },
    async stop(deadline = clock.elapsed() + DRAIN_MS) {
      warming.abort()
      await sweeper.stop()
      await Promise.all([...namespaces()].map(({ writeBehind }) => writeBehind?.stop(deadline)))
      await settledBy(core, deadline, flights.idle())
      await coherence.stop()
      await far?.service.stop(deadline)
    },
  }
}

function report(namespace: string, error: unknown): void {
  if (backgroundError.hasSubscribers)
    backgroundError.publish({ source: `cache ${namespace} warm-up`, error: toError(error) })
}

function settledBy({ clock }: CacheCore, deadline: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(Math.max(0, deadline - clock.elapsed()), resolve)
    void work.finally(() => {
      cancel()
      resolve()
    })
  })
}
