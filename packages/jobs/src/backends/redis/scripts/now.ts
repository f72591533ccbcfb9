import { defineScript } from '@tailwater/redis'

/**
 * Tells the time by which jobs live.
 * KEYS[1] the root
 * Reply: milliseconds since the Unix epoch
 */
export const NOW = defineScript({ name: 'jobs.now', version: 1, keys: ['root'], time: true, lua: 'return now' })
