import { defineScript } from '@tailwater/redis'
import { ENDINGS } from '../lua/endings.ts'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'
import { REMOVAL } from '../lua/removal.ts'
import { UPKEEP } from '../lua/upkeep.ts'

/**
 * Upkeep that no worker's turn does: retention, due jobs and dead workers of queues that nobody serves, ends of unique keys, queues that are no more.
 * KEYS[1] the root
 * ARGV[1] crashes that a job may have, ARGV[2] jobs to deal with, about
 * Reply: buried jobs (id, body, attempt)
 */
export const SWEEP = defineScript({
  name: 'jobs.sweep',
  version: 2,
  keys: ['root'],
  time: true,
  lua: `${GROUND}${LANES}${PLACES}${ENDINGS}${REMOVAL}${UPKEEP}
local left, buried = tonumber(ARGV[2]), {}

local function endUniques()
  local ended = call('ZRANGEBYSCORE', root .. ':unique-ends', '-inf', now, 'LIMIT', 0, 1000)
  if #ended == 0 then return end
  call('ZREM', root .. ':unique-ends', unpack(ended))
  call('HDEL', root .. ':unique', unpack(ended))
end

local function forgetIfEmpty(queue)
  forgetMinutes(queue, math.floor(now / 60000))
  if call('EXISTS', root .. ':all:' .. queue, root .. ':minutes:' .. queue) > 0 or call('HEXISTS', root .. ':config', queue) == 1 then return end
  call('SREM', root .. ':queues', queue)
  call('SREM', root .. ':awake', queue)
  call('HDEL', root .. ':running', queue)
end

rescue(500, tonumber(ARGV[1]), buried)
endUniques()
for _, queue in ipairs(call('SMEMBERS', root .. ':queues')) do
  promote(queue, 500)
  if call('EXISTS', root .. ':available:' .. queue, root .. ':lanes:' .. queue) > 0 then wake(queue) end
  for state in pairs(FINAL) do
    left = left - (left > 0 and trim(queue, state, math.min(left, 1000)) or 0)
  end
  forgetIfEmpty(queue)
end
return buried`,
})
