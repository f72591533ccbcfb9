import { bentocacheEngine } from './bentocache_engine.ts'
import { cacheManagerEngine } from './cache_manager_engine.ts'
import { cacheableEngine } from './cacheable_engine.ts'
import type { EngineKind } from './engine.ts'
import { ioredisEngine } from './ioredis_engine.ts'
import { tailwaterEngine } from './tailwater_engine.ts'

/** Caches that do what ours does, more or less. */
export const peerEngines: readonly EngineKind[] = [bentocacheEngine, cacheableEngine, cacheManagerEngine]

/** @throws for a name that none has */
export function findEngine(name: string): EngineKind {
  const found = [tailwaterEngine, ...peerEngines, ioredisEngine].find((engine) => engine.name === name)
  if (!found) throw new Error(`there is no cache ${name}`)
  return found
}
