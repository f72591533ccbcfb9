import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'

/**
 * Pauses a schedule, or lets it go on.
 * KEYS[1] the root
 * ARGV[1] name, ARGV[2] 1 or 0, ARGV[3] next moment, or empty to leave it
 * Reply: 1, or 0 if there is none of the name
 */
export const PAUSE_SCHEDULE = defineScript({
  name: 'jobs.pause_schedule',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}
local key = root .. ':schedule:' .. ARGV[1]
if call('EXISTS', key) == 0 then return 0 end
call('HSET', key, 'paused', ARGV[2])
if ARGV[3] ~= '' then call('HSET', key, 'nextAt', ARGV[3]) end
local nextAt = call('HGET', key, 'nextAt')
call('ZADD', root .. ':schedules', (ARGV[2] == '1' or nextAt == '') and '+inf' or nextAt, ARGV[1])
return 1`,
})
