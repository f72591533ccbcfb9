import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'

/**
 * Holds a queue to limits. Changes nothing if they are what they were; otherwise looks at every lane, and at every job that runs.
 * KEYS[1] the root
 * ARGV[1] queue, ARGV[2] settings as in lua/base.ts
 * Reply: 1 if anything changed
 */
export const CONFIGURE = defineScript({
  name: 'jobs.configure',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}${LANES}${PLACES}
local queue, config = ARGV[1], root .. ':config'
call('SADD', root .. ':queues', queue)
local flags, packed = string.match(call('HGET', config, queue) or '|', '^(%a*)|(.*)$')
if packed == ARGV[2] then return 0 end
local hadLanes = settingsOf(queue).lanes or settingsOf(queue).isLoose
settingsKnown = {}
flags = string.gsub(flags, 'l', '')
call('HSET', config, queue, flags .. '|' .. ARGV[2])
local settings = settingsOf(queue)
if hadLanes and not settings.lanes then call('HSET', config, queue, flags .. 'l|' .. ARGV[2]) end
local busy, heads, resting = root .. ':busy:' .. queue, root .. ':heads:' .. queue, root .. ':resting:' .. queue
if not settings.rateCount then call('HDEL', root .. ':pace', queue) end
if not settings.keyRateCount then call('DEL', root .. ':paced:' .. queue) end
if settings.lanes then
  local keys = {}
  for _, key in ipairs(call('HKEYS', busy)) do keys[key] = true end
  for _, key in ipairs(call('HKEYS', heads)) do keys[key] = true end
  for _, key in ipairs(call('ZRANGE', resting, 0, -1)) do keys[key] = true end
  call('DEL', busy, heads, resting, root .. ':lanes:' .. queue)
  forgetTurns(queue)
  for _, worker in ipairs(settings.keyConcurrency and call('ZRANGE', root .. ':workers', 0, -1) or {}) do
    local held = call('HGETALL', root .. ':held:' .. worker)
    for position = 1, #held, 2 do
      local link, _, _, _, _, _, of = linkOf(held[position]), heldOf(held[position + 1])
      if of == queue and link and link.key ~= '' then call('HINCRBY', busy, link.key, 1) end
    end
  end
  for key in pairs(keys) do offer(queue, key) end
end
call('PUBLISH', root .. ':wake', queue)
return 1`,
})
