import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'

/**
 * Pauses a queue, or lets it go on.
 * KEYS[1] the root
 * ARGV[1] queue, ARGV[2] `pause` or `resume`
 * Reply: 1 if that changed anything
 */
export const PAUSE = defineScript({
  name: 'jobs.pause',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}
call('SADD', root .. ':queues', ARGV[1])
local changed = call(ARGV[2] == 'pause' and 'SADD' or 'SREM', root .. ':paused', ARGV[1])
if ARGV[2] == 'resume' then call('PUBLISH', root .. ':wake', ARGV[1]) end
return changed`,
})
