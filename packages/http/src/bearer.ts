import type { HeaderMap } from './exchange.ts'
import { type HttpProblem, problem } from './problem.ts'

/** Token characters of RFC 6750, section 2.1. */
const BEARER = /^Bearer +([\w\-.~+/]+=*) *$/i

/** The token of an `Authorization: Bearer` header; undefined when there is none, or another scheme. */
export function bearerToken(headers: HeaderMap): string | undefined {
  const header = headers['authorization']
  return typeof header === 'string' ? BEARER.exec(header)?.[1] : undefined
}

/** The 401 problem of a request that must say who is calling. */
export function unauthenticated(detail = 'This operation needs a Bearer token.'): HttpProblem<'E_UNAUTHENTICATED'> {
  return problem(401, 'E_UNAUTHENTICATED', detail, { headers: { 'www-authenticate': 'Bearer' } })
}
