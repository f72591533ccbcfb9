import { Readable } from 'node:stream'
import { hashedOnce } from '../body_hash.ts'
import type { Reply } from '../exchange.ts'
import { headerText } from '../header.ts'
import { formatHttpDate } from '../http_date.ts'
import type { CacheStatus } from './cache_status.ts'
import { collectBody } from './collected_body.ts'
import type { Flight } from './flights.ts'
import { addressTag } from './invalidation.ts'
import type { OriginResponse } from './opening.ts'
import { counted, type Ground, type Passage, served, told } from './passage.ts'
import { freshFor, policyOf, type ResponsePolicy } from './policy.ts'
import { freshenedHeaders, isConfirmed } from './revalidation.ts'
import { endToEnd, hasCredentials, isLasting, whyNotStorable } from './storable.ts'
import { isUnchanged, notModified } from './stored_reply.ts'
import { MAX_VARIANTS, type StoredResponse } from './stored_response.ts'
import { surrogateKeys } from './surrogate_keys.ts'
import { selectingValues, varyNames } from './vary.ts'

/** An origin's answer, and what it answers. */
export interface Settling {
  ground: Ground
  passage: Passage
  response: OriginResponse
  status: CacheStatus
  flight: Flight | undefined
}

/** A 304: what is stored holds, with new headers. */
export async function confirmStored(settling: Settling, stored: StoredResponse): Promise<Reply> {
  const { ground, passage, response, status, flight } = settling
  counted(ground, passage, 'miss')
  try {
    if (!isConfirmed(stored, response.headers)) {
      // The origin speaks of another version than it was asked for; what is stored is the one that we have.
      await forget(settling)
      return served(ground, passage, stored, status)
    }
    const date = response.headers['date'] ?? formatHttpDate(response.receivedAt)
    const headers = freshenedHeaders(stored, { ...response.headers, date })
    const policy = policyOf(
      stored.status,
      { ...headers, age: response.headers['age'] },
      response,
      ground.options.targets,
    )
    const confirmed = { ...describe(settling, headers, policy), status: stored.status, body: stored.body }
    const detail = whyKeptOut(settling, { status: stored.status, headers }, policy)
    if (detail !== undefined) await forget(settling)
    const isStored = detail === undefined && (await keep(settling, confirmed))
    if (isStored) flight?.land(confirmed)
    return served(ground, passage, confirmed, { ...status, ...(detail !== undefined && { detail }), stored: isStored })
  } finally {
    flight?.land(undefined)
  }
}

/** A new response: kept when it has come through whole, if it may be. */
export function takeResponse(settling: Settling): Reply {
  const { ground, passage, response, status, flight } = settling
  const { options } = ground
  const policy = policyOf(response.status, response.headers, response, options.targets)
  const detail = whyKeptOut(settling, response, policy)
  counted(ground, passage, detail === undefined ? 'miss' : 'passed')
  if (detail !== undefined) {
    // What somebody in particular is answered says nothing of the others.
    if (isLasting(detail) && (passage.isOwn || !hasCredentials(passage.request.headers))) {
      flight?.scatter()
      // What was stored is not what the origin answers any more.
      if (passage.stored && response.status === 200) void forget(settling)
    }
    flight?.land(undefined)
    return toClient(settling, response, { ...status, detail })
  }
  const { body, whole } = collectBody(response.body, options.maxBody)
  const headers: Record<string, string | string[]> = endToEnd(response.headers)
  delete headers['age']
  // Handlers leave the date to the server, which would write that of the hit.
  headers['date'] ??= formatHttpDate(response.receivedAt)
  void whole
    .then(async (bytes) => {
      if (!bytes) return flight?.scatter()
      headers['content-length'] = String(bytes.length)
      const stored = { ...describe(settling, headers, policy), status: response.status, body: hashedOnce(bytes) }
      if (await keep(settling, stored)) flight?.land(stored)
    })
    .catch(() => undefined)
    .then(() => flight?.land(undefined))
  return toClient(settling, { ...response, body }, { ...status, stored: true })
}

/** Handlers are run for whatever is not fresh, so that what never will be is of no use; and a stream of theirs may end with the client's leaving. */
function whyKeptOut(
  { ground: { origin, options }, passage: { request, isOwn } }: Settling,
  response: Pick<Reply, 'status' | 'headers'> & Partial<OriginResponse>,
  policy: ResponsePolicy,
): string | undefined {
  const asked = { method: request.method, headers: request.headers, isOwn }
  const reason = response.keepOut ?? whyNotStorable(asked, response, policy, options.targets)
  if (reason === undefined && !surrogateKeys(response.headers, options.tagHeaders)) return 'surrogate-keys'
  if (reason === undefined && (knownSize(response) ?? 0) > options.maxBody) return 'size'
  if (reason !== undefined || origin === 'server') return reason
  if (response.body instanceof Readable) return 'stream'
  // A handler that has allowed caching before it failed has not meant this.
  if (response.status >= 500) return 'status'
  return policy.alwaysValidate || policy.lifetime + policy.staleWhileRevalidate <= 0 ? 'no-lifetime' : undefined
}

/** How large a body is, where that is known before it has come. */
function knownSize({ body, headers }: Pick<OriginResponse, 'headers'> & Partial<OriginResponse>): number | undefined {
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array) return body.byteLength
  const length = headerText(headers, 'content-length')
  return body instanceof Readable && length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined
}

/** What is stored beside status and body. */
function describe({ ground, passage }: Settling, headers: StoredResponse['headers'], policy: ResponsePolicy) {
  const vary = varyNames(headers) as readonly string[]
  const selected = selectingValues(vary, passage.request.headers)
  return { headers, policy, vary, selected, tags: surrogateKeys(headers, ground.options.tagHeaders) ?? [] }
}

/** The origin's answer as this client gets it: 304 if that is what it has already. The body still comes in, if it is collected. */
function toClient({ ground, passage: { request } }: Settling, response: OriginResponse, status: CacheStatus): Reply {
  const headers = endToEnd(response.headers)
  if (response.status !== 200 || !isUnchanged(headers, request.headers, ground.options.clock.now()))
    return told(ground, { status: response.status, headers, body: response.body }, status)
  discard(response)
  return told(ground, notModified(headers), status)
}

async function keep({ ground, passage: { key, mark } }: Settling, stored: StoredResponse): Promise<boolean> {
  const { counts } = ground
  const { store, clock, keepStale, staleIfError } = ground.options
  const now = clock.now()
  const lifeOf = ({ policy }: StoredResponse) =>
    Math.max(0, freshFor(policy, now)) +
    Math.max(keepStale, policy.staleWhileRevalidate, policy.staleIfError ?? staleIfError)
  // Read again: another variant may have come meanwhile.
  const others = (await store.read(key)).variants.filter((other) => !isSameVariant(other, stored))
  const kept = [stored, ...others].slice(0, MAX_VARIANTS)
  const tags = [addressTag(key), ...new Set(kept.flatMap((one) => one.tags))]
  const isKept = await store.set(key, kept, { ttl: Math.max(...kept.map(lifeOf)), since: mark, tags })
  counts[isKept ? 'stored' : 'refused']++
  return isKept
}

function isSameVariant(one: StoredResponse, other: StoredResponse): boolean {
  return one.selected === other.selected && one.vary.join() === other.vary.join()
}

/** A store that cannot forget it now gives it back stale, and then it is asked for again. */
async function forget({ ground, passage: { key } }: Settling): Promise<void> {
  const forgotten = async () => ground.options.store.delete(key)
  await forgotten().catch(() => undefined)
}

/** Lets go of a body that is not sent. */
export function discard({ body }: Pick<Reply, 'body'>): void {
  if (body instanceof Readable) body.destroy()
}
