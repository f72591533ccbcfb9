import type { Bench } from '../harness/bench.ts'
import { measurePostgres } from './postgres/postgres_bench.ts'

/** `bench jobs`: the engine on each store against the libraries of that store. */
export const jobsBench: Bench = {
  name: 'jobs',
  run: async (options) => measurePostgres(options),
}
