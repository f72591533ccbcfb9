import { oneOf, resolveOptions, type Size, size } from '@tailwater/core'
import { bodyHash, hashBody } from './body_hash.ts'
import { type EntityTag, matchesStrongly, matchesWeakly, parseTag, parseTagList } from './entity_tag.ts'
import type { Exchange, HeaderMap, Reply } from './exchange.ts'
import { headerText, sentHeader } from './header.ts'
import { formatHttpDate, parseHttpDate } from './http_date.ts'
import type { Middleware } from './middleware.ts'
import { type HttpProblem, problem, problemReply } from './problem.ts'

/** Options of `conditional`. */
export interface ConditionalOptions {
  /** What is made of a body that has no ETag of its own; `off` makes none and only compares those of handlers. @default 'strong' */
  etag?: 'strong' | 'weak' | 'off'
  /** Bodies longer than this get no ETag: hashing 1 MB takes about a millisecond. @default '1mb' */
  maxBody?: Size
}

/** Checks the options of `conditional` and fills in their defaults. @throws E_OPTIONS */
export function resolveConditionalOptions(options: ConditionalOptions = {}) {
  return resolveOptions('conditional', options, {
    etag: oneOf(['strong', 'weak', 'off'], { default: 'strong' }),
    maxBody: size({ default: '1mb' }),
  })
}

/**
 * Answers conditional reads: gives whole bodies an ETag, and sends 304 when the client has them already.
 *
 * Only replies 200 to GET and HEAD; streams get no ETag unless their handler set one. Put it after
 * `compression` in the list. Conditions of writes are the handler's to check, with `requireVersion`, inside its transaction.
 *
 * @throws E_OPTIONS on a wrong option
 */
export function conditional(options?: ConditionalOptions): Middleware {
  const { etag, maxBody } = resolveConditionalOptions(options)
  return {
    name: 'conditional',
    after(exchange, reply) {
      if (reply.status !== 200 || (exchange.method !== 'GET' && exchange.method !== 'HEAD')) return reply
      const tagged = etag === 'off' ? reply : tagBody(exchange, reply, etag, maxBody)
      if (!hasCondition(exchange.headers)) return tagged
      const verdict = evaluate(exchange, versionOf(exchange, tagged))
      if (verdict === 'proceed') return tagged
      discard(reply)
      return verdict === 'unchanged'
        ? notModified(tagged)
        : problemReply(preconditionFailed(NOT_THAT_VERSION), exchange)
    },
  }
}

function hasCondition(headers: HeaderMap): boolean {
  const { 'if-none-match': noneMatch, 'if-modified-since': modifiedSince, 'if-match': match } = headers
  return (noneMatch ?? modifiedSince ?? match ?? headers['if-unmodified-since']) !== undefined
}

const NOT_THAT_VERSION = 'The resource is not in the version that the request asks for.'
const CHANGED_SINCE = 'The resource has changed since you read it. Read it again, and repeat your change on top.'

function preconditionFailed(detail: string): HttpProblem<'E_PRECONDITION_FAILED'> {
  return problem(412, 'E_PRECONDITION_FAILED', detail)
}

function tagBody(exchange: Exchange, reply: Reply, kind: 'strong' | 'weak', maxBody: number): Reply {
  const { body } = reply
  if ((typeof body !== 'string' && !(body instanceof Uint8Array)) || body.length > maxBody) return reply
  const hash = hashBody(body)
  exchange.state.set(bodyHash, hash)
  if (sentHeader(exchange, reply, 'etag') !== undefined) return reply
  // A copy: a reply kept by a cache is sent many times.
  return { ...reply, headers: { ...reply.headers, etag: kind === 'weak' ? `W/"${hash}"` : `"${hash}"` } }
}

/** What is known of the current version of a resource. */
interface Version {
  tag: EntityTag | undefined
  /** Milliseconds since the Unix epoch. */
  modifiedAt: number | undefined
}

function versionOf(exchange: Exchange, reply: Reply): Version {
  const tag = sentHeader(exchange, reply, 'etag')
  const modified = sentHeader(exchange, reply, 'last-modified')
  return { tag: tag ? parseTag(tag) : undefined, modifiedAt: modified ? parseHttpDate(modified) : undefined }
}

/**
 * The order of RFC 9110, section 13.2.2: If-Match, else If-Unmodified-Since; then If-None-Match, else
 * If-Modified-Since. A date counts only where there is no tag condition, because seconds are coarse.
 */
function evaluate(exchange: Exchange, current: Version): 'failed' | 'unchanged' | 'proceed' {
  if (!isUnchangedSince(exchange, current)) return 'failed'
  const noneMatch = headerText(exchange.headers, 'if-none-match')
  if (noneMatch !== undefined) {
    const asked = parseTagList(noneMatch)
    return asked === '*' || (current.tag && matchesWeakly(asked, current.tag)) ? 'unchanged' : 'proceed'
  }
  const since = dateOf(exchange, 'if-modified-since')
  return since !== undefined && current.modifiedAt !== undefined && current.modifiedAt <= since
    ? 'unchanged'
    : 'proceed'
}

/** If-Match, else If-Unmodified-Since; true when neither is there. */
function isUnchangedSince(exchange: Exchange, current: Version): boolean {
  const match = headerText(exchange.headers, 'if-match')
  if (match !== undefined) {
    const asked = parseTagList(match)
    return asked === '*' || (current.tag !== undefined && matchesStrongly(asked, current.tag))
  }
  const since = dateOf(exchange, 'if-unmodified-since')
  return since === undefined || current.modifiedAt === undefined || current.modifiedAt <= since
}

function dateOf(exchange: Exchange, name: string): number | undefined {
  const text = headerText(exchange.headers, name)
  return text === undefined ? undefined : parseHttpDate(text)
}

/** Headers that describe a body; in a 304, which has none, they could only mislead a cache (RFC 9110, section 15.4.5). */
const OF_THE_BODY = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'content-digest',
  'repr-digest',
]

function notModified(reply: Reply): Reply {
  const headers = { ...reply.headers }
  for (const name of OF_THE_BODY) delete headers[name]
  // With an ETag the date says nothing more.
  if (headers['etag']) delete headers['last-modified']
  return { status: 304, headers, body: undefined }
}

/** Lets go of the body that is not sent: an open file or cursor would stay open. */
function discard({ body }: Reply): void {
  if (typeof body === 'object' && 'destroy' in body) body.destroy()
}

/** The version that a write would replace. */
export interface CurrentVersion {
  /** As sent with reads, for example `versionTag(row.version)`. */
  etag?: string
  /** Milliseconds since the Unix epoch. */
  modifiedAt?: number
}

/** The ETag of a resource that counts its versions. */
export function versionTag(version: number | bigint | string): string {
  return `"v${version}"`
}

/**
 * Lets a write go on only if the resource is still what its client last saw: optimistic concurrency.
 *
 * Call it inside the transaction that writes, after the row was read `FOR UPDATE`; outside, another
 * write fits between the check and yours.
 *
 * @param current the version now, or undefined when the resource does not exist
 * @param options `required: true` refuses a write that states no version
 * @throws HttpProblem 412 E_PRECONDITION_FAILED when the version is another one
 * @throws HttpProblem 428 E_PRECONDITION_REQUIRED when one is required and not stated
 *
 * @example
 * requireVersion(exchange, { etag: versionTag(product.version) }, { required: true })
 */
export function requireVersion(
  exchange: Exchange,
  current: CurrentVersion | undefined,
  { required = false } = {},
): void {
  const stated = ['if-match', 'if-unmodified-since', 'if-none-match'].some(
    (name) => exchange.headers[name] !== undefined,
  )
  if (!stated) {
    if (!required) return
    throw problem(
      428,
      'E_PRECONDITION_REQUIRED',
      'State the version you mean to change with an If-Match header; its value is the ETag of a read.',
    )
  }
  if (!holds(exchange, current)) throw preconditionFailed(CHANGED_SINCE)
}

function holds(exchange: Exchange, current: CurrentVersion | undefined): boolean {
  const version: Version = {
    tag: current?.etag ? parseTag(current.etag) : undefined,
    modifiedAt: current?.modifiedAt === undefined ? undefined : Math.floor(current.modifiedAt / 1_000) * 1_000,
  }
  if (!current)
    return exchange.headers['if-match'] === undefined && exchange.headers['if-unmodified-since'] === undefined
  if (!isUnchangedSince(exchange, version)) return false
  const noneMatch = headerText(exchange.headers, 'if-none-match')
  if (noneMatch === undefined) return true
  const asked = parseTagList(noneMatch)
  return asked !== '*' && !(version.tag && matchesWeakly(asked, version.tag))
}

/** Sets `Last-Modified`; `conditional` compares it where the client sends no tag. */
export function setLastModified(headers: Reply['headers'], modifiedAt: number): void {
  headers['last-modified'] = formatHttpDate(modifiedAt)
}
