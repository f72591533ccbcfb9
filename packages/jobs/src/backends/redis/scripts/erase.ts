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
  lua: String.raw`${GROUND}${LANES}${PLACES}${ENDINGS}${REMOVAL}
local count, key, most = 0, ARGV[1], tonumber(ARGV[2])
-- The range holds keys, too, that go on with a zero byte.
for _, member in ipairs(call('ZRANGEBYLEX', root .. ':keyed', '[' .. key .. '\0', '(' .. key .. '\1', 'LIMIT', 0, 10000)) do
  local own, id = string.match(member, '^(.*)%z(%Z+)$')
  local job = own == key and count < most and find(id)
  if job and job.state == 'running' then
    if call('SISMEMBER', root .. ':stop:' .. job.worker, id) == 0 and cancel(id) then count = count + 1 end
  elseif job then
    remove(job)
    count = count + 1
  end
end
return count`,
})
