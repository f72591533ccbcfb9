import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'

/**
 * Adds to the histograms of how long jobs waited and ran, a hash for each queue and five minutes, which goes by itself.
 * KEYS[1] the root
 * ARGV[1] milliseconds of a slot, ARGV[2] milliseconds for which it is kept; then for each bucket: queue, `w` or `r` and the bucket, count
 * Reply: 1
 */
export const OBSERVE = defineScript({
  name: 'jobs.observe',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}
local slot = math.floor(now / tonumber(ARGV[1]))
local touched = {}
-- The last argument is the time.
for at = 3, #ARGV - 1, 3 do
  local key = root .. ':spans:' .. slot .. ':' .. ARGV[at]
  call('HINCRBY', key, ARGV[at + 1], ARGV[at + 2])
  touched[key] = true
end
for key in pairs(touched) do call('PEXPIRE', key, ARGV[2]) end
return 1`,
})
