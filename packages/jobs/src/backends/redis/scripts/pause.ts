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
local config = root .. ':config'
local flags, packed = string.match(call('HGET', config, ARGV[1]) or '|' .. string.rep(':', 13), '^(%a*)|(.*)$')
local others = string.gsub(flags, 'p', '')
local wanted = ARGV[2] == 'pause' and others .. 'p' or others
call('SADD', root .. ':queues', ARGV[1])
call('HSET', config, ARGV[1], wanted .. '|' .. packed)
if ARGV[2] == 'resume' then call('PUBLISH', root .. ':wake', ARGV[1]) end
return wanted == flags and 0 or 1`,
})
