import { defineScript } from '@tailwater/redis'
import { ENDINGS } from '../lua/endings.ts'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'

/**
 * Cancels a job and all below it; those that run are asked to stop.
 * KEYS[1] the root
 * ARGV[1] id
 * Reply: 1, or 0 if it has ended or is not there
 */
export const CANCEL = defineScript({
  name: 'jobs.cancel',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}${LANES}${PLACES}${ENDINGS}
return cancel(ARGV[1]) and 1 or 0`,
})
