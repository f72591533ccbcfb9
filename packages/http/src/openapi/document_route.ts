import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import type { Reply } from '../exchange.ts'
import { type Route, route } from '../route.ts'
import type { OpenapiDocument } from './document.ts'

/**
 * Serves the document, so that a client that has it is told 304.
 *
 * @param document made when the route is mounted, from all routes
 * @param path `/openapi.json` by default
 */
export function openapiRoute(document: OpenapiDocument, path = '/openapi.json'): Route {
  const body = JSON.stringify(document)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  return route({
    method: 'GET',
    path,
    id: 'openapi',
    summary: 'This API as an OpenAPI 3.1 document',
    tags: ['reference'],
    schema: { response: { 200: Type.Unknown(), 304: undefined } },
    handler: ({ exchange }) => reply(exchange.headers['if-none-match'], etag, body),
  })
}

function reply(condition: string | string[] | undefined, etag: string, body: string): Reply {
  const isKnown = String(condition ?? '')
    .split(',')
    .some((tag) => tag.trim().replace(/^W\//, '') === etag)
  const headers = { etag, 'cache-control': 'no-cache' }
  if (isKnown) return { status: 304, headers, body: undefined }
  return { status: 200, headers: { ...headers, 'content-type': 'application/json; charset=utf-8' }, body }
}
