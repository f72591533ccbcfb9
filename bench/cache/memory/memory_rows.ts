import { startRedis } from '@tailwater/redis/testing'
import type { BenchOptions } from '../../harness/bench.ts'
import type { Measured } from '../../harness/row.ts'
import { SideProcess } from '../../harness/side_process.ts'
import type { MemoryPlan } from './memory_side.ts'

const SIDE = 'bench/cache/memory/memory_side.ts'
const PRODUCTS = 100_000
const QUICK_PRODUCTS = 10_000

/** Measures `cache memory`: what a product of 1 kB takes in either tier. */
export async function measureMemory({ quick, say }: BenchOptions): Promise<Measured[]> {
  const products = quick ? QUICK_PRODUCTS : PRODUCTS
  const redis = await startRedis()
  try {
    const near = await bytesOf({ products, redisUrl: undefined })
    const far = await bytesOf({ products, redisUrl: redis.url })
    say(`memory of a product of 1 kB: ${Math.round(near)} bytes in the process, ${Math.round(far)} in Redis`)
    return [
      rowOf(
        'in the process',
        near,
        "createCache({ environment: 'production', near })",
        'heap and buffers after a collection',
      ),
      rowOf('in Redis', far, 'createCache with createRedisBackend', 'used_memory of the server, full less empty'),
    ]
  } finally {
    await redis.stop()
  }
}

async function bytesOf(plan: MemoryPlan): Promise<number> {
  const side = new SideProcess<MemoryPlan, number>(SIDE)
  try {
    return (await side.run(plan)) / plan.products
  } finally {
    side.close()
  }
}

function rowOf(place: string, bytes: number, ours: string, checked: string): Measured {
  return {
    row: {
      row: 'cache memory',
      peer: 'none',
      metric: `a product of 1 kB of JSON ${place}, key and all`,
      unit: 'bytes',
      better: 'lower',
      ours: [bytes],
      theirs: null,
      settings: { ours, theirs: 'none' },
      checked,
    },
  }
}
