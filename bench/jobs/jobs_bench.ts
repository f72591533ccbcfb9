import type { Bench } from '../harness/bench.ts'
import { measureRedis } from './redis/redis_bench.ts'

/** `bench jobs`: the engine against BullMQ on Redis. */
export const jobsBench: Bench = {
  name: 'jobs',
  run: async (options) => measureRedis(options),
}
