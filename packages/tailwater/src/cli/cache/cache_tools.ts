import { type Cache, createCache, type FarBackend } from '@tailwater/cache'
import { type Bus, type Clock, type Service, TailwaterError } from '@tailwater/core'
import { resolveConfig, type TailwaterConfig } from '../../config.ts'
import { farOf } from '../../platform/cache.ts'
import { openGround } from '../../platform/ground.ts'
import { type Opened, started } from '../command_family.ts'
import type { Terminal } from '../terminal.ts'

/** What the commands of the cache work with. */
export interface CacheTools {
  far: FarBackend | undefined
  bus: Bus
  clock: Clock
  /** With the same far tier and bus as every other process, and nothing defined. */
  cache: Cache
}

/** Opens the far tier and the bus of a configuration; not a platform, which would load and serve. */
export async function openCacheTools(given: TailwaterConfig, { complain }: Terminal): Promise<Opened<CacheTools>> {
  const config = resolveConfig(given)
  const ground = await openGround(config, complain)
  const { clock } = config
  const far = farOf(config, ground)
  const cache = createCache({ bus: ground.bus, clock, ...(far ? { far } : {}) })
  const services: Service[] = [
    ...(ground.embedded ? [ground.embedded] : []),
    ground.database,
    ...(ground.redis ? [ground.redis] : []),
    ground.outbox,
    ground.bus,
    cache,
  ]
  const { outbox, database, bus } = ground
  return { tools: { far, bus, clock, cache }, ledger: { outbox, database }, close: await started(services) }
}

/** @throws E_OPTIONS without a far tier */
export function neededFar({ far }: CacheTools): FarBackend {
  if (far) return far
  throw new TailwaterError(
    'E_OPTIONS',
    "there is no far tier: name a redisUrl, or set cache.far to 'postgres'; what a process keeps in its own memory is shown by its dashboard",
    { path: 'config.cache.far' },
  )
}
