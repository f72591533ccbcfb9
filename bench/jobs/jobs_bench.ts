import type { Bench } from '../harness/bench.ts'
import { measurePostgres } from './postgres/postgres_bench.ts'
import { measureRedis } from './redis/redis_bench.ts'

/** `bench jobs`: the engine on each store against the libraries of that store. */
export const jobsBench: Bench = {
  name: 'jobs',
  async run(options) {
    const redis = await measureRedis(options)
    const postgres = await measurePostgres(options)
    return { rows: [...redis.rows, ...postgres.rows], versions: { ...redis.versions, ...postgres.versions } }
  },
}
