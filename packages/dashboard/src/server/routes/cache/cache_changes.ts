import type { Cache, Invalidation } from '@tailwater/cache'
import { json, noContent, type Route, route, Text } from '@tailwater/http'
import { Type } from 'typebox'
import { changing, tellChange } from '../../change.ts'
import { asked, invalid } from '../../refusal.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { WarmUp } from './cache_schemas.ts'
import type { Warming } from './warming.ts'

const Namespace = Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$', examples: ['default'] })
const tags = ['cache']

/** Forgetting much, and loading ahead. */
export function cacheChangeRoutes(desk: Desk, cache: Cache, warming: Warming): Route[] {
  return [invalidateRoute(desk, cache), warmRoute(desk, cache, warming)]
}

const What = Type.Object(
  {
    keys: Type.Optional(Type.Array(Text(512), { minItems: 1, maxItems: 1_000 })),
    tags: Type.Optional(Type.Array(Text(200), { minItems: 1, maxItems: 32 })),
    pattern: Type.Optional(Text(512, 1, { description: 'Without the namespace; a `*` stands for anything.' })),
    all: Type.Optional(Type.Boolean({ description: 'Everything; with a namespace, all of that.' })),
    namespace: Type.Optional(Namespace),
  },
  {
    description: 'One or several of keys, tags, pattern and all. Without a namespace keys and pattern mean `default`.',
  },
)

function invalidateRoute(desk: Desk, cache: Cache): Route {
  return route({
    method: 'POST',
    path: `${desk.mount}/api/cache/invalidate`,
    id: 'cacheInvalidate',
    summary: 'Invalidate keys, tags, a pattern or all, in every process',
    tags,
    security: SECURITY,
    schema: { body: What, response: { 204: undefined } },
    use: changing(desk),
    async handler({ body, exchange }) {
      const { keys, tags: names, pattern, all, namespace } = body
      if (!keys && !names && pattern === undefined && !all)
        throw invalid('/body', 'must have at least one of keys, tags, pattern and all: true')
      await asked(
        () => cache.invalidate(body as Invalidation),
        pattern === undefined || keys ? undefined : '/body/pattern',
      )
      tellChange(exchange, 'cacheInvalidate', namespace ?? '*', { keys: keys?.length ?? 0, tags: names, pattern, all })
      return noContent()
    },
  })
}

function warmRoute(desk: Desk, cache: Cache, warming: Warming): Route {
  return route({
    method: 'POST',
    path: `${desk.mount}/api/cache/warm`,
    id: 'cacheWarm',
    summary: 'Load what a namespace says is worth having',
    description:
      "Answers at once; `warming` of the cache's state says how far it is. One that is running is not begun again.",
    tags,
    security: SECURITY,
    schema: { body: Type.Object({ namespace: Namespace }), response: { 202: WarmUp } },
    use: changing(desk),
    handler({ body, exchange }) {
      const namespace = cache.namespace(body.namespace)
      if (!namespace) throw invalid('/body/namespace', `this process has no namespace '${body.namespace}'`)
      const state = warming.begin(namespace)
      tellChange(exchange, 'cacheWarm', body.namespace)
      return json(state, { status: 202 })
    },
  })
}
