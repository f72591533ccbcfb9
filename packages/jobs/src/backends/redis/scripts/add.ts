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
 * Stores jobs, all or none.
 * KEYS[1] the root
 * ARGV[1] and on: entries, with what precedes them (lua/adding.ts)
 * Reply: for each job that was not simply stored: its id, the id of the one that stands for it, `duplicate` or `replaced`
 */
export const ADD = defineScript({
  name: 'jobs.add',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${BASE}${TICKS}${lazily(`${RECORDS}${LANES}${PLACES}${ADDING_RARE}`, ['addEntry'])}${ADDING}
return addAll(1)`,
})
