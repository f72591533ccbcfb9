import type { Cache, KeyPage, KeyQuery } from '@tailwater/cache'
import { noContent, OneOf, problem, type Route, route, Text } from '@tailwater/http'
import { Type } from 'typebox'
import { changing, reading, tellChange } from '../../change.ts'
import { asked, invalid } from '../../refusal.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { KeyDetail, Keys } from './cache_schemas.ts'

/** Longest key with its namespace, in characters. */
export const MAX_WHOLE_KEY = 577

const params = Type.Object({ key: Text(MAX_WHOLE_KEY, 1, { description: 'With its namespace: `product:42`.' }) })
const tags = ['cache']

/** Looking for keys, into one, and taking one away. */
export function cacheKeyRoutes(desk: Desk, cache: Cache): Route[] {
  return [keysRoute(desk, cache), keyRoute(desk, cache), deleteRoute(desk, cache)]
}

function keysRoute(desk: Desk, cache: Cache): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/cache/keys`,
    id: 'cacheKeys',
    summary: 'Keys of a tier',
    description:
      'Without `tier`, those of the far tier if there is one. In the near tier, those of the process that answers.',
    tags,
    security: SECURITY,
    schema: {
      query: Type.Object({
        pattern: Type.Optional(
          Text(MAX_WHOLE_KEY, 1, { description: 'With the namespace; a `*` stands for anything.' }),
        ),
        cursor: Type.Optional(
          Type.String({ minLength: 1, maxLength: 1_024, description: '`page.next` of another page.' }),
        ),
        limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100, description: 'Keys of a page, roughly.' }),
        tier: Type.Optional(OneOf(['near', 'far'])),
      }),
      response: { 200: Keys },
    },
    use: reading(desk),
    async handler({ query: { pattern, cursor, limit, tier } }) {
      const wanted = tier ?? (cache.stats().far ? 'far' : 'near')
      checkTier(cache, wanted, cursor)
      const { keys, next } = await pageOf(cache, {
        limit,
        tier: wanted,
        ...(pattern === undefined ? {} : { pattern }),
        ...(cursor === undefined ? {} : { cursor }),
      })
      return { data: keys, page: { next: next ?? null, limit } }
    },
  })
}

/** A cursor of another tier would be an error of the store's, and count against it. */
function checkTier(cache: Cache, tier: 'near' | 'far', cursor: string | undefined): void {
  const { far } = cache.stats()
  if (tier === 'far' && !far) throw invalid('/query/tier', 'there is no far tier')
  const form = tier === 'near' ? /^\d{1,15}$/ : far?.backend === 'redis' ? /^[^/\s]*\/\d{1,19}$/ : /^/
  if (cursor !== undefined && !form.test(cursor))
    throw problem(400, 'E_CURSOR', 'The cursor is not one of this list.', {
      errors: [{ path: '/query/cursor', message: 'is not a cursor of this list', code: 'cursor' }],
    })
}

/** The cache hides a far tier that does not answer from those who look values up; whoever looks for keys must learn of it. */
async function pageOf(cache: Cache, query: KeyQuery): Promise<KeyPage> {
  const failures = () => {
    const { far } = cache.stats()
    return far ? far.errors + far.timeouts : 0
  }
  const before = failures()
  const page = await cache.keys(query)
  const isDown = cache.stats().far?.state !== 'closed' || failures() > before
  if (query.tier === 'far' && page.keys.length === 0 && page.next === undefined && isDown)
    throw problem(503, 'E_UNAVAILABLE', 'The far tier does not answer just now. Try again shortly.', {
      headers: { 'retry-after': '2' },
    })
  return page
}

function keyRoute(desk: Desk, cache: Cache): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/cache/keys/:key`,
    id: 'cacheKey',
    summary: 'A key in detail',
    tags,
    security: SECURITY,
    schema: { params, response: { 200: KeyDetail } },
    use: reading(desk),
    async handler({ params: { key } }) {
      const found = await cache.inspect(key)
      if (!found) throw problem(404, 'E_NOT_FOUND', `The key '${key}' is in neither tier.`)
      const { near, far, preview } = found
      return { key, near: near ?? null, far: far ?? null, preview: preview ?? null }
    },
  })
}

function deleteRoute(desk: Desk, cache: Cache): Route {
  return route({
    method: 'DELETE',
    path: `${desk.mount}/api/cache/keys/:key`,
    id: 'cacheKeyDelete',
    summary: 'Invalidate one key, in every process',
    tags,
    security: SECURITY,
    schema: { params, response: { 204: undefined } },
    use: changing(desk),
    async handler({ params: { key }, exchange }) {
      const [, namespace, rest] = /^([a-z][a-z0-9-]{0,63}):(.+)$/s.exec(key) ?? []
      if (namespace === undefined || rest === undefined)
        throw invalid('/params/key', "must be a namespace, a colon and a key: 'product:42'")
      await asked(() => cache.invalidate({ keys: [rest], namespace }), '/params/key')
      tellChange(exchange, 'cacheKeyDelete', key)
      return noContent()
    },
  })
}
