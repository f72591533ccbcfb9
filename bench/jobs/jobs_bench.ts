import type { Bench } from '../harness/bench.ts'
import { chosen } from './parts.ts'
import { measurePostgres, postgresParts } from './postgres/postgres_bench.ts'
import { measureRedis, redisParts } from './redis/redis_bench.ts'

/** `bench jobs`: the engine on each store against the libraries of that store. */
export const jobsBench: Bench = {
  name: 'jobs',
  parts: [...redisParts, ...postgresParts].map(({ name }) => name),
  async run(options) {
    const nothing = { rows: [], versions: {} }
    const redis = chosen(redisParts, options).length > 0 ? await measureRedis(options) : nothing
    const postgres = chosen(postgresParts, options).length > 0 ? await measurePostgres(options) : nothing
    return { rows: [...redis.rows, ...postgres.rows], versions: { ...redis.versions, ...postgres.versions } }
  },
}
