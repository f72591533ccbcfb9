import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'
import { READING } from '../lua/reading.ts'

/**
 * Reads jobs.
 * KEYS[1] the root
 * ARGV[1] `jobs` or `children`; then ids, of children: that of the parent
 * Reply: for each job that there is, its record (lua/reading.ts)
 */
export const READ = defineScript({
  name: 'jobs.read',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}${LANES}${PLACES}${READING}
local ids = ARGV[1] == 'children' and call('LRANGE', root .. ':kids:' .. ARGV[2], 0, -1) or { unpack(ARGV, 2, #ARGV - 1) }
local records = {}
for _, id in ipairs(ids) do records[#records + 1] = recordOf(id) end
return records`,
})
