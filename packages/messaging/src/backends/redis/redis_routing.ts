import { defineScript, type Redis } from '@tailwater/redis'
import type { Binding, ExchangeSpec, SubscriptionSpec } from '../../backend/topology_port.ts'
import type { RoutingStore } from '../../routing/routing_table.ts'

/**
 * Keys: a number that grows with every change, and three hashes: exchanges (name, type), subscriptions (name, JSON), listeners (id, `until JSON`). All in one
 * hash slot. Every change raises the number in the same script.
 */
const keys = ['version', 'exchanges', 'subscriptions', 'listeners'] as const

/** Arguments: which hash (2 or 3), field, value, 1 to leave one that stands. Reply: the value that stands. */
const PUT = defineScript({
  name: 'messaging.put',
  version: 1,
  keys,
  lua: `
local hash = KEYS[tonumber(ARGV[1])]
local standing = redis.call('HGET', hash, ARGV[2])
if standing == ARGV[3] or (standing and ARGV[4] == '1') then return standing end
redis.call('HSET', hash, ARGV[2], ARGV[3])
redis.call('INCR', KEYS[1])
return ARGV[3]`,
})

/** Arguments: which hash (3 or 4), field. Reply: 1 if it was there. */
const REMOVE = defineScript({
  name: 'messaging.remove',
  version: 1,
  keys,
  lua: `
local gone = redis.call('HDEL', KEYS[tonumber(ARGV[1])], ARGV[2])
if gone == 1 then redis.call('INCR', KEYS[1]) end
return gone`,
})

/** Arguments: id, bindings as JSON, milliseconds. Forgets those whose time is over, by the server's clock. */
const LISTEN = defineScript({
  name: 'messaging.listen',
  version: 1,
  keys,
  time: true,
  lua: `
local isNew = redis.call('HEXISTS', KEYS[4], ARGV[1]) == 0
redis.call('HSET', KEYS[4], ARGV[1], string.format('%.0f', now + ARGV[3]) .. ' ' .. ARGV[2])
local changed = isNew
local all = redis.call('HGETALL', KEYS[4])
for at = 1, #all, 2 do
  if tonumber(string.match(all[at + 1], '^%d+')) <= now then
    redis.call('HDEL', KEYS[4], all[at])
    changed = true
  end
end
if changed then redis.call('INCR', KEYS[1]) end`,
})

/** Everything, of one moment. Listeners whose time is over are left out. */
const READ = defineScript({
  name: 'messaging.read',
  version: 1,
  keys,
  time: true,
  lua: `
local listeners = {}
local all = redis.call('HGETALL', KEYS[4])
for at = 1, #all, 2 do
  local untilAt, bindings = string.match(all[at + 1], '^(%d+) (.*)$')
  if tonumber(untilAt) > now then
    listeners[#listeners + 1] = all[at]
    listeners[#listeners + 1] = bindings
  end
end
return { redis.call('GET', KEYS[1]) or '0', redis.call('HGETALL', KEYS[2]), redis.call('HVALS', KEYS[3]), listeners }`,
})

type TableWire = [version: string, exchanges: string[], subscriptions: string[], listeners: string[]]

/** Declarations in Redis or Valkey. */
export function createRedisRouting({ redis }: { redis: Redis }): RoutingStore {
  const key = redis.keyspace('messaging')
  const names = [key('version'), key('exchanges'), key('subscriptions'), key('listeners')] as const
  return {
    version: async () => (await redis.command<string | null>('GET', names[0])) ?? '0',
    async read() {
      const [version, exchanges, subscriptions, listeners] = await redis.run<TableWire, typeof keys>(READ, names)
      return {
        version,
        exchanges: pairs(exchanges).map(([name, type]) => ({ name, type: type as ExchangeSpec['type'] })),
        subscriptions: subscriptions.map((spec) => specOf(JSON.parse(spec))),
        listeners: pairs(listeners).map(([id, bindings]) => ({ id, bindings: JSON.parse(bindings) as Binding[] })),
      }
    },
    async putExchange({ name, type }) {
      const standing = await redis.run<string, typeof keys>(PUT, names, ['2', name, type, '1'])
      return { name, type: standing as ExchangeSpec['type'] }
    },
    async putSubscription(subscription) {
      await redis.run(PUT, names, ['3', subscription.name, JSON.stringify(subscription), '0'])
    },
    removeSubscription: async (name) => (await redis.run<number, typeof keys>(REMOVE, names, ['3', name])) === 1,
    async putListener({ id, bindings }, ttl) {
      await redis.run(LISTEN, names, [id, JSON.stringify(bindings), String(ttl)])
    },
    async removeListener(id) {
      await redis.run(REMOVE, names, ['4', id])
    },
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!])
}

/** JSON leaves out what is undefined. */
const specOf = (stored: SubscriptionSpec): SubscriptionSpec => ({
  ...stored,
  ttl: stored.ttl ?? undefined,
  maxLength: stored.maxLength ?? undefined,
})
