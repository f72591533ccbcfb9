import type { Clock } from '@tailwater/core'
import type { Redis } from '../redis.ts'

/** The same connection, on which scripts take the clock's time for the server's. */
export function withTime(redis: Redis, clock: Clock): Redis {
  return Object.assign(Object.create(redis) as Redis, {
    run: ((script, keys, args, options) =>
      redis.run(script, keys, args, { ...options, at: clock.now() })) as Redis['run'],
  })
}
