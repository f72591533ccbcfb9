import { defineScript } from '@tailwater/redis'
import { NOTHING, VERSION_LENGTH } from './stored.ts'

/** Reads the version under KEYS[1] as `held`, that of nothing where there is none. */
const HELD = `local held = redis.call('GETRANGE', KEYS[1], 0, ${VERSION_LENGTH - 1})
if held == '' then held = '${NOTHING}' end
`

/**
 * Compare-and-set of one key.
 * KEYS[1] value, KEYS[2] lease
 * ARGV[1] version and envelope, ARGV[2] milliseconds to live, ARGV[3] version expected or '' for any, ARGV[4] token of the lease or ''
 * Reply: 1 if it was stored
 */
export const WRITE = defineScript({
  name: 'cache.write',
  version: 1,
  keys: ['value', 'lease'],
  lua: `
local isHolder = ARGV[4] ~= '' and redis.call('GET', KEYS[2]) == ARGV[4]
if isHolder then redis.call('DEL', KEYS[2]) end
if ARGV[3] ~= '' then
  ${HELD}
  if held ~= ARGV[3] then return 0 end
  if held == '${NOTHING}' and ARGV[4] ~= '' and not isHolder then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`,
})

/**
 * Puts a tombstone in a value's place.
 * KEYS[1] value, KEYS[2] lease
 * ARGV[1] the tombstone's version, ARGV[2] milliseconds to live
 */
export const INVALIDATE = defineScript({
  name: 'cache.invalidate',
  version: 1,
  keys: ['value', 'lease'],
  lua: `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('DEL', KEYS[2])
return 1`,
})

/**
 * Gives a value a new life.
 * KEYS[1] value
 * ARGV[1] version expected, ARGV[2] milliseconds to live
 * Reply: 1 if it was still that one
 */
export const TOUCH = defineScript({
  name: 'cache.touch',
  version: 1,
  keys: ['value'],
  lua: `
${HELD}
if held ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
})

/**
 * Takes the lease of a key.
 * KEYS[1] value, KEYS[2] lease
 * ARGV[1] version expected, ARGV[2] token, ARGV[3] milliseconds to live
 * Reply: granted, held or changed
 */
export const ACQUIRE = defineScript({
  name: 'cache.acquire',
  version: 1,
  keys: ['value', 'lease'],
  lua: `
${HELD}
if held ~= ARGV[1] then return 'changed' end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[2] then return 'held' end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 'granted'`,
})

/**
 * Renews a lease, or with no milliseconds left frees it.
 * KEYS[1] lease
 * ARGV[1] token, ARGV[2] milliseconds to live
 * Reply: 1 if the token held it
 */
export const RENEW = defineScript({
  name: 'cache.renew',
  version: 1,
  keys: ['lease'],
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
})

/**
 * Reads the counter as `counter`. It begins at the server's microseconds, so that one that was lost goes on above whatever it had reached; milliseconds would
 * not do, for a tag can be invalidated and lost within one.
 */
const COUNTER = `local time = redis.call('TIME')
local microseconds = time[1] * 1000000 + time[2]
local stored = redis.call('GET', KEYS[1])
local counter = tonumber(stored or microseconds)
local function text(number) return string.format('%.0f', number) end
`

/**
 * Numbers of tags.
 * KEYS[1] counter, KEYS[2…] tags
 * ARGV[1] floor of the counter, ARGV[2] milliseconds that a tag lives unread
 * Reply: the counter, then the numbers, as text
 */
export const NUMBERS = defineScript({
  name: 'cache.numbers',
  version: 1,
  keys: ['counter'],
  rest: 'tags',
  lua: `
${COUNTER}
counter = math.max(counter, tonumber(ARGV[1]))
if stored ~= text(counter) then redis.call('SET', KEYS[1], text(counter)) end
local numbers = { text(counter) }
for index = 2, #KEYS do
  local number = redis.call('GET', KEYS[index])
  if not number then
    number = text(counter)
    redis.call('SET', KEYS[index], number, 'PX', ARGV[2])
  elseif redis.call('PTTL', KEYS[index]) < ARGV[2] / 2 then
    redis.call('PEXPIRE', KEYS[index], ARGV[2])
  end
  numbers[index] = number
end
return numbers`,
})

/**
 * Gives tags a new number.
 * KEYS[1] counter, KEYS[2…] tags
 * ARGV[1] milliseconds that a tag lives unread
 * Reply: the number, as text
 *
 * The counter keeps up with the clock: a replica that takes the master's place and has not all its invalidations still goes on above them.
 */
export const INVALIDATE_TAGS = defineScript({
  name: 'cache.invalidateTags',
  version: 1,
  keys: ['counter'],
  rest: 'tags',
  lua: `
${COUNTER}
local number = text(math.max(counter + 1, microseconds))
redis.call('SET', KEYS[1], number)
for index = 2, #KEYS do redis.call('SET', KEYS[index], number, 'PX', ARGV[1]) end
return number`,
})

/**
 * The server's time. In a cluster a key decides which server that is, so that every process asks the same one.
 * KEYS[1] counter
 * Reply: milliseconds since the Unix epoch, as text
 */
export const TIME = defineScript({
  name: 'cache.time',
  version: 1,
  keys: ['counter'],
  time: true,
  lua: `return string.format('%.0f', now)`,
})
