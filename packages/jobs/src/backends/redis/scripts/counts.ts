import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'
import { READING } from '../lua/reading.ts'

/**
 * Counts jobs by state.
 * KEYS[1] the root
 * ARGV[1] queue, or empty for all
 * Reply: numbers, added up: in all, pending, scheduled, retryable, completed, cancelled, dead, running
 */
export const COUNTS = defineScript({
  name: 'jobs.counts',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}${LANES}${PLACES}${READING}
local total = { 0, 0, 0, 0, 0, 0, 0, 0 }
for _, queue in ipairs(ARGV[1] ~= '' and { ARGV[1] } or call('SMEMBERS', root .. ':queues')) do
  for position, count in ipairs(countsOf(queue)) do total[position] = total[position] + count end
end
return total`,
})
