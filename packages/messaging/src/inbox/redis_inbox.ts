import { type Duration, type IdSource, newId, parseDuration } from '@tailwater/core'
import { defineScript, type Redis } from '@tailwater/redis'
import { messagingError } from '../errors.ts'
import { type Inbox, noTransaction } from './inbox.ts'

/** Key: the message's. Arguments: token, milliseconds. Deletes (0) or keeps what is still ours. */
const END = defineScript({
  name: 'messaging.inbox.end',
  version: 1,
  keys: ['message'],
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], 'done', 'PX', ARGV[2])
return 1`,
})

/**
 * An inbox in Redis, as good as Redis can: what the function does elsewhere and the note of it are not one. A process that dies in between runs the function
 * again, and a failover may forget the note.
 *
 * @param options.keep for how long a message is remembered. @default '1d'
 * @param options.lease for how long a run that died keeps others from running. @default '1m'
 */
export function createRedisInbox({
  redis,
  keep = '1d',
  lease = '1m',
  ids = newId,
}: {
  redis: Redis
  keep?: Duration
  lease?: Duration
  ids?: IdSource
}): Inbox {
  const [kept, leased] = [parseDuration(keep, 'createRedisInbox.keep'), parseDuration(lease, 'createRedisInbox.lease')]
  return {
    async once(subscription, messageId, run) {
      const key = redis.keyspace(`inbox:${subscription}`)(messageId)
      const token = ids()
      if ((await redis.command('SET', key, token, 'NX', 'PX', String(leased))) !== 'OK') {
        if ((await redis.command('GET', key)) === 'done') return false
        throw messagingError('E_MESSAGE_BLOCKED', `message ${messageId} is being handled by somebody else right now`, {
          subscription,
          messageId,
        })
      }
      try {
        await run(noTransaction)
      } catch (error) {
        await redis.run(END, [key], [token, '0']).catch(() => undefined)
        throw error
      }
      await redis.run(END, [key], [token, String(kept)])
      return true
    },
  }
}
