import { type RedisConnectionEvent, redisConnection, sleep, toError } from '@tailwater/core'
import type { RedisClient } from './client.ts'
import { toRedisError } from './failure.ts'
import { FAREWELL, type Link, type LinkOptions, unavailable } from './link.ts'

/**
 * A link to a whole cluster.
 *
 * The driver's cluster client looks after its nodes and comes back by itself; this watches it, so that commands fail at once while
 * no node can be reached.
 */
export function createClusterLink({ label, target, lazy, clock, connectTimeout, dial }: LinkOptions): Link {
  let cluster: RedisClient | undefined
  let generation = 0
  let lastError: Error | undefined

  function tell(change: RedisConnectionEvent['change'], error?: Error): void {
    if (redisConnection.hasSubscribers) redisConnection.publish({ label, target, change, ...(error && { error }) })
  }

  function watch(client: RedisClient): void {
    const remember = (error: unknown) => {
      lastError = toError(error)
    }
    client.on('error', remember)
    client.on('node error', remember)
    client.on('ready', () => {
      lastError = undefined
      tell('connected')
    })
    client.on('reconnecting', () => tell('lost', lastError))
    client.on('-node', () => {
      generation++
    })
  }

  const ready = () => (cluster?.status === 'ready' ? cluster : undefined)

  function whenReady(timeout?: number): Promise<RedisClient> {
    const client = cluster
    if (!client) return Promise.reject(unavailable(target, lastError))
    if (client.status === 'ready') return Promise.resolve(client)
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => () => {
        cancel()
        client.off('ready', onReady)
        client.off('end', onEnd)
        act()
      }
      const onReady = settle(() => resolve(client))
      const fail = () => reject(lastError ? toRedisError(lastError, target) : unavailable(target, undefined))
      const onEnd = settle(fail)
      const cancel = timeout === undefined ? () => {} : clock.after(timeout, settle(fail))
      client.on('ready', onReady)
      client.on('end', onEnd)
    })
  }

  async function stop(): Promise<void> {
    const leaving = cluster
    cluster = undefined
    if (!leaving) return
    if (leaving.status === 'end') return
    const ended = new Promise<void>((resolve) => void leaving.on('end', () => resolve()))
    leaving.disconnect()
    // A client that has no node left never says that it has ended.
    await Promise.race([ended, sleep(clock, FAREWELL)])
    tell('closed')
  }

  return {
    label,
    target,
    get client() {
      return ready()
    },
    get generation() {
      return generation
    },
    get lastError() {
      return lastError
    },
    async start() {
      const client = await dial()
      cluster = client
      watch(client)
      client.connect().catch((error: unknown) => {
        lastError ??= toError(error)
      })
      if (lazy) return
      await whenReady(connectTimeout).catch(async (error: unknown) => {
        await stop()
        throw error
      })
    },
    stop,
    whenReady,
  }
}
