import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'

/**
 * Deletes a schedule.
 * KEYS[1] the root
 * ARGV[1] name
 * Reply: 1, or 0 if there is none of the name
 */
export const REMOVE_SCHEDULE = defineScript({
  name: 'jobs.remove_schedule',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}
call('DEL', root .. ':schedule:' .. ARGV[1])
return call('ZREM', root .. ':schedules', ARGV[1])`,
})
