import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'

/**
 * Creates a schedule, or replaces one whose definition was another.
 * KEYS[1] the root
 * ARGV[1] name, ARGV[2] definition, ARGV[3] next moment, or empty
 * Reply: 1 if anything changed
 */
export const PUT_SCHEDULE = defineScript({
  name: 'jobs.put_schedule',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}
local key = root .. ':schedule:' .. ARGV[1]
if call('HGET', key, 'definition') == ARGV[2] then return 0 end
call('HSET', key, 'definition', ARGV[2], 'nextAt', ARGV[3])
local rests = ARGV[3] == '' or call('HGET', key, 'paused') == '1'
call('ZADD', root .. ':schedules', rests and '+inf' or ARGV[3], ARGV[1])
return 1`,
})
