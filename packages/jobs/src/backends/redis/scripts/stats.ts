import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'
import { READING } from '../lua/reading.ts'

/**
 * Tells how a queue does.
 * KEYS[1] the root
 * ARGV[1] queue, ARGV[2] milliseconds of a slot of spans, ARGV[3] slots to read beside the present one
 * Reply: now; 1 if paused; counts (scripts/counts.ts); score of the job that is next in turn, or empty; field and number of each minute and kind; bucket and
 * count of each slot (scripts/observe.ts)
 */
export const STATS = defineScript({
  name: 'jobs.stats',
  version: 2,
  keys: ['root'],
  time: true,
  lua: String.raw`${GROUND}${LANES}${PLACES}${READING}
local queue = ARGV[1]
local first = call('ZRANGE', root .. ':available:' .. queue, 0, 0, 'WITHSCORES')[2]
local keys = {}
for _, name in ipairs(call('ZRANGE', root .. ':lanes:' .. queue, 0, 0)) do keys[1] = string.match(name, '\n(.*)$') end
for _, key in ipairs(call('ZRANGE', root .. ':resting:' .. queue, 0, 99)) do keys[#keys + 1] = key end
for position, key in ipairs(call('HKEYS', root .. ':busy:' .. queue)) do
  if position <= 100 then keys[#keys + 1] = key end
end
for _, key in ipairs(keys) do
  local score = call('ZRANGE', laneOf(queue, key), 0, 0, 'WITHSCORES')[2]
  if score and (not first or tonumber(score) < tonumber(first)) then first = score end
end
local spans, present_slot = {}, math.floor(now / tonumber(ARGV[2]))
for slot = present_slot - tonumber(ARGV[3]), present_slot do
  for _, part in ipairs(call('HGETALL', root .. ':spans:' .. slot .. ':' .. queue)) do spans[#spans + 1] = part end
end
return { now, settingsOf(queue).isPaused and 1 or 0, countsOf(queue), first or '', call('HGETALL', root .. ':minutes:' .. queue), spans }`,
})
