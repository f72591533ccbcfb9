import { defineScript } from '@tailwater/redis'
import { ENDINGS } from '../lua/endings.ts'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'
import { REMOVAL } from '../lua/removal.ts'

/**
 * Deletes jobs of a key, in a bite; those that run are asked to stop.
 * KEYS[1] the root
 * ARGV[1] key, ARGV[2] jobs at most
 * Reply: number of jobs deleted, or asked for the first time
 */
export const ERASE = defineScript({
  name: 'jobs.erase',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}${LANES}${PLACES}${ENDINGS}${REMOVAL}
local count, set, most = 0, root .. ':key:' .. ARGV[1], tonumber(ARGV[2])
for _, id in ipairs(call('SCARD', set) <= 10000 and call('SMEMBERS', set) or call('SRANDMEMBER', set, 10000)) do
  local job = count < most and find(id)
  if job and job.state == 'running' then
    if call('SADD', root .. ':stop:' .. job.worker, id) == 1 then
      call('PUBLISH', root .. ':wake', job.queue)
      count = count + 1
    end
  elseif job then
    remove(job)
    count = count + 1
  end
end
return count`,
})
