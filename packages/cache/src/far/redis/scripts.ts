import { defineScript } from '@tailwater/redis'
import { ENTRY_BYTE, NOTHING, VERSION_LENGTH } from './stored.ts'

/** Reads the version under a key, that of nothing where there is none. */
const VERSION_OF = `local function versionOf(key)
  local held = redis.call('GETRANGE', key, 0, ${VERSION_LENGTH - 1})
  return held == '' and '${NOTHING}' or held
end
`

/**
 * Compare-and-set of keys, each on its own.
 * KEYS[1] value, KEYS[2] lease, and so on for each write
 * ARGV[1] versions and envelopes, end to end, then for each write
 *   its bytes in ARGV[1], milliseconds to live, version expected or '' for any, token of the lease or ''
 * Reply: for each write 1 if it was stored
 *
 * What expects nothing is by far the most, and SET NX decides of it without a look at what is there.
 */
export const WRITE = defineScript({
  name: 'cache.write',
  version: 2,
  keys: ['value', 'lease'],
  rest: 'values and leases',
  lua: `
${VERSION_OF}
local stored, from = {}, 1
for index = 1, #KEYS / 2 do
  local value, lease, at = KEYS[index * 2 - 1], KEYS[index * 2], index * 4 - 2
  local ttl, expected, token = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local to = from + ARGV[at]
  local bytes = string.sub(ARGV[1], from, to - 1)
  from = to
  local isHolder = token ~= '' and redis.call('GET', lease) == token
  if isHolder then redis.call('DEL', lease) end
  local isStored = true
  if expected == '${NOTHING}' then
    isStored = (token == '' or isHolder) and redis.call('SET', value, bytes, 'PX', ttl, 'NX')
  elseif expected == '' or versionOf(value) == expected then
    redis.call('SET', value, bytes, 'PX', ttl)
  else
    isStored = false
  end
  stored[index] = isStored and 1 or 0
end
return stored`,
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
  version: 2,
  keys: ['value'],
  lua: `
${VERSION_OF}
if versionOf(KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
})

/**
 * Reads keys, and takes the leases of those that have no entry, each on its own.
 * KEYS[1] value, KEYS[2] lease, and so on for each wish
 * ARGV[1] milliseconds to live, then for each wish the token
 * Reply: for each wish what lies there, where that is an entry; else 2 if the lease is granted or 1 if another holds it, and behind the figure the tombstone, if there is one
 */
export const CLAIM = defineScript({
  name: 'cache.claim',
  version: 1,
  keys: ['value', 'lease'],
  rest: 'values and leases',
  lua: `
local found = {}
for index = 1, #KEYS / 2 do
  local held, lease, token = redis.call('GET', KEYS[index * 2 - 1]), KEYS[index * 2], ARGV[index + 1]
  if held and string.byte(held) == ${ENTRY_BYTE} then
    found[index] = held
  else
    local answer = '2'
    if not redis.call('SET', lease, token, 'PX', ARGV[1], 'NX') then
      if redis.call('GET', lease) == token then redis.call('PEXPIRE', lease, ARGV[1]) else answer = '1' end
    end
    found[index] = held and answer .. held or answer
  end
end
return found`,
})

/**
 * Takes the leases of keys, each on its own.
 * KEYS[1] value, KEYS[2] lease, and so on for each wish
 * ARGV[1] milliseconds to live, then for each wish the version expected and the token
 * Reply: for each wish 2 if it is granted, 1 if another holds it, 0 if the version is not the one expected
 */
export const ACQUIRE = defineScript({
  name: 'cache.acquire',
  version: 2,
  keys: ['value', 'lease'],
  rest: 'values and leases',
  lua: `
${VERSION_OF}
local answers = {}
for index = 1, #KEYS / 2 do
  local lease, token = KEYS[index * 2], ARGV[index * 2 + 1]
  if versionOf(KEYS[index * 2 - 1]) ~= ARGV[index * 2] then
    answers[index] = 0
  elseif redis.call('SET', lease, token, 'PX', ARGV[1], 'NX') then
    answers[index] = 2
  elseif redis.call('GET', lease) == token then
    redis.call('PEXPIRE', lease, ARGV[1])
    answers[index] = 2
  else
    answers[index] = 1
  end
end
return answers`,
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
