import { sleep } from '@tailwater/core'
import type { RedisClient } from './client.ts'
import { toRedisError } from './failure.ts'
import type { Link, LinkOptions } from './link.ts'

/** Ends of a client's life; everything else it copes with by itself, as its owner has told it to. */
const ENDED = new Set(['end', 'close', 'disconnecting'])

/** How a client, or one of a cluster, tells of a lost connection. */
const LOSSES = ['close', '-node']

/** A link over a client that belongs to the application: used, watched, and left open. */
export function createExternalLink(
  client: RedisClient,
  { label, target, lazy, clock, connectTimeout }: Omit<LinkOptions, 'dial'>,
): Link {
  let generation = 0
  const count = () => {
    generation++
  }
  return {
    label,
    target,
    get client() {
      return ENDED.has(client.status) ? undefined : client
    },
    get generation() {
      return generation
    },
    lastError: undefined,
    async start() {
      for (const event of LOSSES) client.on(event, count)
      if (lazy) return
      const late = sleep(clock, connectTimeout).then(() => {
        throw new Error(`no answer within ${connectTimeout} ms`)
      })
      late.catch(() => {})
      await Promise.race([client.call('PING', []), late]).catch((error: unknown) => {
        throw toRedisError(error, target)
      })
    },
    async stop() {
      for (const event of LOSSES) client.off(event, count)
      // Unwatched, nothing is certain any more.
      count()
    },
    whenReady: () => Promise.resolve(client),
  }
}
