import type { Bench, BenchOptions } from '../harness/bench.ts'
import { packageVersions } from '../harness/machine.ts'
import type { Measured } from '../harness/row.ts'
import { measureFar, measureNearHit } from './engine/engine_rows.ts'
import { measureStampede } from './engine/stampede_rows.ts'
import { measureInvalidate } from './invalidate/invalidate_rows.ts'
import { measureMemory } from './memory/memory_rows.ts'
import { measureNearMixed } from './near/near_mixed_rows.ts'
import { measurePolicy } from './policy_rows.ts'

const PEERS = [
  'lru-cache',
  'bentocache',
  'cacheable',
  '@cacheable/memory',
  'cache-manager',
  'keyv',
  '@keyv/redis',
  'ioredis',
  'ioredis-6',
]

const parts: readonly ((options: BenchOptions) => Promise<Measured[]>)[] = [
  measureNearHit,
  measureNearMixed,
  measureFar,
  measureStampede,
  measureInvalidate,
  measureMemory,
  measurePolicy,
]

/** `bench cache`: the whole cache against others, the near tier against lru-cache, and its policy on recorded requests. */
export const cacheBench: Bench = {
  name: 'cache',
  async run(options) {
    const rows: Measured[] = []
    for (const measure of parts) rows.push(...(await measure(options)))
    const versions = {
      node: process.versions.node,
      ...packageVersions(['@tailwater/cache', '@tailwater/redis'], '.'),
      ...packageVersions(PEERS, 'bench'),
    }
    return { rows, versions }
  },
}
