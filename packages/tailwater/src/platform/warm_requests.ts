import type { Cache } from '@tailwater/cache'
import { type Bus, backgroundError, createService, notice, type Service, toError } from '@tailwater/core'

/** Where processes are asked to warm a namespace. */
const TOPIC = 'cache-warm'

/** Asks every process that defines a namespace to warm it: what is worth loading only they know. */
export async function requestWarming(bus: Bus, namespace: string): Promise<void> {
  await bus.publish(TOPIC, { namespace })
}

/** Warms what other processes ask for, one namespace once at a time; the stop ends what is under way. */
export function warmOnRequest(bus: Bus, cache: Cache): Service {
  const running = new Map<string, Promise<void>>()
  let stopping = new AbortController()
  let end = async () => {}

  function begin(payload: unknown): void {
    const name = (payload as { namespace?: unknown } | null)?.namespace
    const namespace = typeof name === 'string' && !running.has(name) ? cache.namespace(name) : undefined
    if (!namespace) return
    const warming = namespace
      .warm(undefined, { signal: stopping.signal })
      .then(({ loaded, failed }) => {
        if (!notice.hasSubscribers) return
        const fields = { namespace: namespace.name, loaded, failed }
        notice.publish({ source: 'cache', level: failed > 0 ? 'warn' : 'info', message: 'warmed on request', fields })
      })
      .catch((error: unknown) => {
        if (stopping.signal.aborted || !backgroundError.hasSubscribers) return
        backgroundError.publish({ source: 'cache', error: toError(error) })
      })
      .finally(() => running.delete(namespace.name))
    running.set(namespace.name, warming)
  }

  return createService('cache-warming', {
    async start() {
      stopping = new AbortController()
      // Whoever missed a request was not there to be warmed.
      end = await bus.subscribe(TOPIC, { onMessage: ({ payload }) => begin(payload), onGap: () => {} })
    },
    async stop() {
      stopping.abort(new Error('the process stops'))
      await end()
      await Promise.all(running.values())
    },
  })
}
