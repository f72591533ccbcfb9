import { defineScript } from '@tailwater/redis'
import { ADDING } from '../lua/adding.ts'
import { ADDING_RARE } from '../lua/adding_rare.ts'
import { BASE } from '../lua/base.ts'
import { LANES } from '../lua/lanes.ts'
import { lazily } from '../lua/lazily.ts'
import { PLACES } from '../lua/places.ts'
import { RECORDS } from '../lua/records.ts'
import { TICKS } from '../lua/ticks.ts'

/**
 * Moves a schedule on and stores its jobs, if it is where the caller believes it to be.
 * KEYS[1] the root
 * ARGV[1] name, ARGV[2] the moment at which it is, ARGV[3] the next, or empty, ARGV[4] and on: entries, with what precedes them (lua/adding.ts)
 * Reply: 1, or 0 if another was first, or it is paused
 */
export const FIRE = defineScript({
  name: 'jobs.fire',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${BASE}${TICKS}${lazily(`${RECORDS}${LANES}${PLACES}${ADDING_RARE}`, ['addEntry'])}${ADDING}
local key = root .. ':schedule:' .. ARGV[1]
local fields = call('HMGET', key, 'nextAt', 'paused')
if fields[1] ~= ARGV[2] or fields[2] == '1' then return 0 end
call('HSET', key, 'nextAt', ARGV[3], 'lastAt', ARGV[2])
call('ZADD', root .. ':schedules', ARGV[3] == '' and '+inf' or ARGV[3], ARGV[1])
addAll(4)
return 1`,
})
