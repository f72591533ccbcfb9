import { defineScript } from '@tailwater/redis'
import { ADDING } from '../lua/adding.ts'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'

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
  lua: `${GROUND}${LANES}${PLACES}${ADDING}
return addAll(1)`,
})
