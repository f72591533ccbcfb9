import type { Cache } from '@tailwater/cache'
import { type Route, route } from '@tailwater/http'
import { reading } from '../../change.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { cacheChangeRoutes } from './cache_changes.ts'
import { cacheKeyRoutes } from './cache_keys.ts'
import { CacheState } from './cache_schemas.ts'
import type { Warming } from './warming.ts'

/** What is in the cache, and what can be done about it. */
export function cacheRoutes(desk: Desk, cache: Cache, warming: Warming): Route[] {
  return [stateRoute(desk, cache, warming), ...cacheKeyRoutes(desk, cache), ...cacheChangeRoutes(desk, cache, warming)]
}

function stateRoute(desk: Desk, cache: Cache, warming: Warming): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/cache`,
    id: 'cacheState',
    summary: "What this process's cache has done",
    description:
      'By namespace, with the state of both tiers. Counters are since the start of the process that answers.',
    tags: ['cache'],
    security: SECURITY,
    schema: { response: { 200: CacheState } },
    use: reading(desk),
    handler() {
      const { namespaces, near, far, busSilence } = cache.stats()
      return {
        namespaces: Object.entries(namespaces).map(([name, stats]) => ({ name, ...stats })),
        near,
        far: far ? breakerNamed(far) : null,
        busSilence: busSilence ?? null,
        warming: warming.list(),
      }
    },
  })
}

/** `state` is said of many things here. */
function breakerNamed({ state, ...rest }: NonNullable<ReturnType<Cache['stats']>['far']>) {
  return { ...rest, breaker: state }
}
