import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'
import { READING } from '../lua/reading.ts'

/**
 * Reads a stretch of a queue's jobs in the order of their being enqueued.
 * KEYS[1] the root
 * ARGV[1] queue, ARGV[2] `new` or `old` first, ARGV[3] and ARGV[4] moment and id after which to begin, or empty, ARGV[5] jobs to look at, ARGV[6] states
 * separated by spaces, or empty, ARGV[7] key that the jobs carry, or empty
 * Reply: moment and id of the last job looked at, or empty at the end; records of those that fit (lua/reading.ts)
 *
 * Where at most 5,000 jobs are in the states, or carry the key, these are sorted; otherwise all of the queue's are looked at in their order.
 */
export const WALK = defineScript({
  name: 'jobs.walk',
  version: 1,
  keys: ['root'],
  time: true,
  lua: String.raw`${GROUND}${LANES}${PLACES}${READING}
local queue, isNewFirst, n = ARGV[1], ARGV[2] == 'new', tonumber(ARGV[5])
local all, states, few = root .. ':all:' .. queue, {}, nil

local function isBefore(a, b)
  local first, second = a, b
  if isNewFirst then first, second = b, a end
  if first[1] ~= second[1] then return first[1] < second[1] end
  return first[2] < second[2]
end

-- Ids of the states, if they are few.
local function idsOfStates()
  local ids, keys, total = {}, {}, 0
  for state in pairs(states) do
    if state == 'available' or state == 'running' then return nil end
    keys[#keys + 1] = root .. ':' .. state .. ':' .. queue
    if FINAL[state] then keys[#keys + 1] = root .. ':kept-' .. state .. ':' .. queue end
  end
  for _, key in ipairs(keys) do total = total + call('ZCARD', key) end
  if total > 5000 or #keys == 0 then return nil end
  for _, key in ipairs(keys) do
    for _, id in ipairs(call('ZRANGE', key, 0, -1)) do ids[#ids + 1] = id end
  end
  return ids
end

local function sorted(ids)
  local entries, picked, cursor = {}, {}, ARGV[3] ~= '' and { tonumber(ARGV[3]), ARGV[4] }
  for from = 1, #ids, 3000 do
    local to = math.min(from + 2999, #ids)
    for position, at in ipairs(call('ZMSCORE', all, unpack(ids, from, to))) do
      if at then entries[#entries + 1] = { tonumber(at), ids[from + position - 1] } end
    end
  end
  table.sort(entries, isBefore)
  for _, entry in ipairs(entries) do
    if #picked < n and (not cursor or isBefore(cursor, entry)) then picked[#picked + 1] = entry end
  end
  return picked
end

local function stretch()
  local range, rank = isNewFirst and 'ZREVRANGE' or 'ZRANGE', nil
  if ARGV[3] == '' then return call(range, all, 0, n - 1, 'WITHSCORES') end
  if call('ZSCORE', all, ARGV[4]) == ARGV[3] then
    rank = call(isNewFirst and 'ZREVRANK' or 'ZRANK', all, ARGV[4])
    return call(range, all, rank + 1, rank + n, 'WITHSCORES')
  end
  -- The last one is gone, or of another queue: its place is found among those of its moment.
  local offset, cursor = 0, { tonumber(ARGV[3]), ARGV[4] }
  while true do
    local some = isNewFirst and call('ZREVRANGEBYSCORE', all, ARGV[3], '-inf', 'WITHSCORES', 'LIMIT', offset, n)
      or call('ZRANGEBYSCORE', all, ARGV[3], '+inf', 'WITHSCORES', 'LIMIT', offset, n)
    local skip = 0
    while some[skip + 1] and not isBefore(cursor, { tonumber(some[skip + 2]), some[skip + 1] }) do skip = skip + 2 end
    if skip < #some or #some == 0 then return { unpack(some, skip + 1) } end
    offset = offset + n
  end
end

local entries = {}
for state in string.gmatch(ARGV[6], '%S+') do states[state] = true end
if ARGV[7] ~= '' then
  local first, last = '[' .. ARGV[7] .. '\0', '(' .. ARGV[7] .. '\1'
  if call('ZLEXCOUNT', root .. ':keyed', first, last) <= 5000 then
    few = {}
    for _, member in ipairs(call('ZRANGEBYLEX', root .. ':keyed', first, last)) do few[#few + 1] = string.match(member, '%z(%Z+)$') end
  end
end
few = few or idsOfStates()
if few then entries = sorted(few)
else
  local some = stretch()
  for position = 1, #some, 2 do entries[#entries + 1] = { some[position + 1], some[position] } end
end
local ids, fitting, last = {}, {}, entries[n] or { '', '' }
for _, entry in ipairs(entries) do ids[#ids + 1] = entry[2] end
for _, record in ipairs(recordsOf(queue, ids)) do
  if ARGV[6] == '' or states[record[3]] then fitting[#fitting + 1] = record end
end
return { type(last[1]) == 'number' and whole(last[1]) or last[1], last[2], fitting }`,
})
