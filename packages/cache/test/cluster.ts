import { type Cache, type CacheOptions, createCache, createMemoryBackend } from '@tailwater/cache'
import { type ChaosBackend, chaos } from '@tailwater/cache/testing'
import { createMemoryBus, type MemoryBus } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'

/** One process of a cluster of the test's own. */
export interface Node {
  cache: Cache
  bus: MemoryBus
  /** Its way to the far tier, on which there may be trouble that the others do not have. */
  far: ChaosBackend
}

/** Several caches with one far tier and one bus, under a clock that stands still. */
export interface Cluster {
  clock: FakeClock
  nodes: readonly Node[]
  /** Lets everything settle that needs no time. */
  settle(): Promise<void>
  stop(): Promise<void>
}

/** How a cluster is made. */
export interface ClusterOptions extends CacheOptions {
  nodes?: number
  hasFar?: boolean
  hasBus?: boolean
}

/** Starts a cluster. */
export async function startCluster({
  nodes: count = 2,
  hasFar = true,
  hasBus = true,
  ...options
}: ClusterOptions = {}): Promise<Cluster> {
  const clock = new FakeClock()
  const store = createMemoryBackend({ clock })
  const transport = createMemoryBus({ clock })
  const nodes = Array.from({ length: count }, () => {
    const far = chaos(store, { clock })
    const bus = transport.connect()
    const cache = createCache({ ttl: '1m', clock, ...(hasFar ? { far } : {}), ...(hasBus ? { bus } : {}), ...options })
    return { cache, bus, far }
  })
  for (const { cache } of nodes) await cache.start()
  return {
    clock,
    nodes,
    async settle() {
      for (let turn = 0; turn < 20; turn++) await clock.advance(0)
    },
    async stop() {
      for (const { cache } of nodes) await cache.stop(clock.elapsed())
    },
  }
}

/** A row of a database: read by loads, which see what is committed when they read. */
export function row(value: number) {
  const state = { value, loads: 0 }
  return {
    load: async () => {
      state.loads++
      return state.value
    },
    write(next: number) {
      state.value = next
    },
    get loads() {
      return state.loads
    },
  }
}

/** The same, with two processes by name. */
export async function startTwo(options?: ClusterOptions) {
  const cluster = await startCluster(options)
  const [a, b] = cluster.nodes
  return { ...cluster, a: a!, b: b! }
}
