import type { Reply } from '../exchange.ts'
import type { CacheStatus, Forwarded } from './cache_status.ts'
import type { Flight } from './flights.ts'
import type { Forward } from './opening.ts'
import { counted, type Ground, type Passage, served, told } from './passage.ts'
import { servesForError } from './reuse.ts'
import { validatorsOf, withoutConditions } from './revalidation.ts'
import { confirmStored, discard, takeResponse } from './settlement.ts'

/** Statuses of an origin that is in trouble rather than of a resource (RFC 5861, section 4). */
const IN_TROUBLE = new Set([500, 502, 503, 504])

/**
 * A question to the origin about one key, and what becomes of its answer.
 *
 * A whole response is asked for with conditions of the cache's own, if it has something to be confirmed; handlers of this process are run without any. A part, or a HEAD, is the client's own
 * affair: passed through, and nothing is kept.
 *
 * @param flight lands whatever comes
 */
export function askOrigin(ground: Ground, passage: Passage, fwd: Forwarded, flight: Flight | undefined): Forward {
  const { request, stored } = passage
  const { options, origin } = ground
  const isWhole = request.method === 'GET' && request.headers['range'] === undefined
  const conditions = stored && origin === 'server' ? validatorsOf(stored) : {}

  function standIn(): Reply | undefined {
    const mayServe = stored && servesForError(stored, request.headers, options.clock.now(), options.staleIfError)
    if (!mayServe) return undefined
    counted(ground, passage, 'stale')
    return served(ground, passage, stored, { fwd, detail: 'stale-if-error' })
  }
  return {
    headers: isWhole ? { ...withoutConditions(request.headers), ...conditions } : request.headers,
    isShared: isWhole,
    isWrite: false,
    async settle(response) {
      const status: CacheStatus = { fwd, fwdStatus: response.status }
      const settling = { ground, passage, response, status, flight }
      if (response.status === 304 && isWhole && stored && origin === 'server') return confirmStored(settling, stored)
      const instead = IN_TROUBLE.has(response.status) ? standIn() : undefined
      if (!instead && isWhole) return takeResponse(settling)
      if (!instead) counted(ground, passage, 'passed')
      if (!instead) return told(ground, response, status)
      discard(response)
      flight?.land(undefined)
      return instead
    },
    fail() {
      flight?.land(undefined)
      return standIn()
    },
    abandon: () => flight?.land(undefined),
  }
}
