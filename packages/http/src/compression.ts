import { Readable } from 'node:stream'
import { group, integer, optional, resolveOptions, type Size, size, value } from '@tailwater/core'
import { negotiateCoding } from './accept.ts'
import { bodyHash } from './body_hash.ts'
import { isCompressible } from './compressible.ts'
import { type ContentCoding, createEncoders, type Encoder, FLUSH_KIND, hasZstd } from './content_coding.ts'
import { parseTagList, tagOfVariant } from './entity_tag.ts'
import type { Exchange, Reply } from './exchange.ts'
import { addVary, headerText, sentHeader } from './header.ts'
import type { Middleware } from './middleware.ts'
import { problem } from './problem.ts'
import { compressStream } from './stream_compression.ts'
import { createVariantCache, type VariantCache } from './variant_cache.ts'

/** Options of `compression`. */
export interface CompressionOptions {
  /**
   * Codings offered, the preferred one first: between codings that the client likes equally this order decides.
   * zstd is left out where Node lacks it.
   * @default ['zstd', 'br', 'gzip'], the order of speed and ratio on 5 KB of JSON: 36, 97 and 64 µs for 1151, 1111 and 1209 bytes
   */
  codings?: readonly ContentCoding[]
  /** Bodies shorter than this are sent as they are: they fit one packet either way. @default '1kb' */
  threshold?: Size
  /**
   * Bodies up to this are compressed on the event loop, longer ones in zlib's threads. The detour costs 0.1 to 0.2 ms
   * of processor time whatever the size, and compressing 16 KB costs 0.1 to 0.3 ms: below, it is all loss. @default '16kb'
   */
  syncUpTo?: Size
  /** Bodies being compressed in threads or as streams at one time; what comes on top is sent as it is. @default 32 */
  maxConcurrent?: number
  /** @default { zstd: 3, br: 4, gzip: 6 }; brotli's own default of 11 takes a hundred times as long for a tenth less */
  levels?: Partial<Record<ContentCoding, number>>
  /** Memory for compressed bodies that may be sent again; they are known by the hash that `conditional` made. 0 keeps none. @default '8mb' */
  keep?: Size
  /** Decides by `Content-Type` what shrinks. @default isCompressible */
  compressible?: (contentType: string) => boolean
  /**
   * Replies to leave alone. Use it for pages that show a secret (a CSRF token, say) beside text of the requester's
   * choosing: the length of the compressed reply would tell the secret letter by letter (BREACH).
   */
  skip?: (exchange: Exchange, reply: Reply) => boolean
}

const isFunction = (given: unknown) => typeof given === 'function'
const ALL: readonly ContentCoding[] = ['zstd', 'br', 'gzip']
const areCodings = (given: unknown) =>
  Array.isArray(given) && given.length > 0 && given.every((coding) => ALL.includes(coding))

/** Checks the options of `compression` and fills in their defaults. @throws E_OPTIONS */
export function resolveCompressionOptions(options: CompressionOptions = {}) {
  return resolveOptions('compression', options, {
    codings: value<readonly ContentCoding[]>("a list of 'zstd', 'br' and 'gzip'", areCodings, { default: ALL }),
    threshold: size({ default: '1kb' }),
    syncUpTo: size({ default: '16kb' }),
    maxConcurrent: integer({ min: 0, default: 32 }),
    levels: optional(
      group({
        zstd: integer({ min: 1, max: 22, default: 3 }),
        br: integer({ min: 0, max: 11, default: 4 }),
        gzip: integer({ min: 1, max: 9, default: 6 }),
      }),
    ),
    keep: size({ default: '8mb' }),
    compressible: value<(contentType: string) => boolean>('a function', isFunction, { default: isCompressible }),
    skip: value<(exchange: Exchange, reply: Reply) => boolean>('a function', isFunction, { default: () => false }),
  })
}

type Resolved = ReturnType<typeof resolveCompressionOptions>

/**
 * Compresses replies with zstd, brotli or gzip, as the client prefers (RFC 9110, sections 8.4 and 12.5.3).
 *
 * Put it first in the list, so that it sees replies last. It leaves alone what is short, does not
 * shrink, is coded already, says `no-transform`, carries a digest of its bytes, is part of a range, or is an event
 * stream. A strong ETag gets the coding as a suffix (`"x"` becomes `"x+zstd"`), because two codings are
 * two representations; `conditional` and `requireVersion` know the suffix.
 *
 * @throws E_OPTIONS on a wrong option
 * @example
 * const middleware = [compression(), conditional()]
 */
export function compression(options?: CompressionOptions): Middleware {
  const resolved = resolveCompressionOptions(options)
  const codings = resolved.codings.filter((coding) => coding !== 'zstd' || hasZstd)
  const compressor = createCompressor(resolved)

  const chosen = (exchange: Exchange) => negotiateCoding(headerText(exchange.headers, 'accept-encoding'), codings)
  return {
    name: 'compression',
    before(exchange) {
      // Refused before the handler has done anything: afterwards a reply in the wrong coding beats an error.
      if (chosen(exchange) === undefined)
        throw problem(
          406,
          'E_CODING_REFUSED',
          `Every content coding on offer (${codings.join(', ')}, identity) is refused by Accept-Encoding.`,
        )
    },
    after(exchange, reply) {
      if (reply.status === 304) return restoreVariantTag(exchange, reply)
      if (!isEligible(exchange, reply, resolved)) return reply
      addVary(exchange.replyHeaders, 'Accept-Encoding')
      const coding = chosen(exchange) ?? 'identity'
      if (coding === 'identity' || exchange.method === 'HEAD') return reply
      return compressor(exchange, reply, coding)
    },
  }
}

/** Headers that bind the body to its bytes as they are. */
const BINDING = ['content-encoding', 'content-range', 'content-digest', 'repr-digest', 'content-md5']

function isEligible(exchange: Exchange, reply: Reply, { compressible, threshold, skip }: Resolved): boolean {
  const { status, body } = reply
  if (status < 200 || status === 204 || status === 206 || exchange.headers['range'] !== undefined) return false
  if (body === undefined && exchange.method !== 'HEAD') return false
  if (BINDING.some((name) => sentHeader(exchange, reply, name) !== undefined)) return false
  if (/\bno-transform\b/i.test(sentHeader(exchange, reply, 'cache-control') ?? '')) return false
  if (!compressible(sentHeader(exchange, reply, 'content-type') ?? '')) return false
  const length = bodyLength(reply)
  return (length === undefined || length >= threshold) && !skip(exchange, reply)
}

function bodyLength({ body, headers }: Reply): number | undefined {
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array) return body.length
  const announced = headerText(headers, 'content-length')
  return announced === undefined ? undefined : Number(announced)
}

type Compressor = (exchange: Exchange, reply: Reply, coding: ContentCoding) => Reply | Promise<Reply>

function createCompressor({ levels, maxConcurrent, syncUpTo, keep }: Resolved): Compressor {
  const encoders = createEncoders(levels ?? { zstd: 3, br: 4, gzip: 6 })
  const kept = createVariantCache(keep)
  let active = 0

  function streamed(exchange: Exchange, source: Readable, coding: ContentCoding): Readable {
    active++
    return compressStream(source, encoders[coding].stream(), {
      flushKind: FLUSH_KIND[coding],
      signal: exchange.signal,
      onClose: () => void active--,
    })
  }
  async function threaded(encoder: Encoder, bytes: Uint8Array): Promise<Buffer> {
    active++
    try {
      return await encoder.encode(bytes)
    } finally {
      active--
    }
  }

  return (exchange, reply, coding) => {
    const { body } = reply
    const encoder = encoders[coding]
    if (body instanceof Readable)
      return active < maxConcurrent ? coded(reply, coding, streamed(exchange, body, coding)) : reply
    const bytes = typeof body === 'string' ? Buffer.from(body) : body!
    const hash = exchange.state.get(bodyHash) as string | undefined
    const key = hash && `${hash}+${coding}`
    const again = key && kept.get(key)
    if (again) return coded(reply, coding, again)
    if (bytes.length <= syncUpTo) return coded(reply, coding, remember(kept, key, encoder.encodeSync(bytes)))
    if (active >= maxConcurrent) return reply
    return threaded(encoder, bytes).then((compressed) => coded(reply, coding, remember(kept, key, compressed)))
  }
}

function remember(kept: VariantCache, key: string | undefined, bytes: Buffer): Buffer {
  if (key) kept.set(key, bytes)
  return bytes
}

function coded(reply: Reply, coding: ContentCoding, body: Buffer | Readable): Reply {
  const headers: Reply['headers'] = { ...reply.headers, 'content-encoding': coding }
  // A range of the plain bytes is not to be had from the coded ones.
  delete headers['accept-ranges']
  delete headers['content-length']
  if (Buffer.isBuffer(body)) headers['content-length'] = String(body.length)
  const tag = headerText(headers, 'etag')
  if (tag) headers['etag'] = tagOfVariant(tag, coding)
  return { ...reply, headers, body }
}

/**
 * A 304 must carry the ETag that the 200 had (RFC 9110, section 15.4.5); a cache that holds the
 * compressed variant would not know it by another.
 */
function restoreVariantTag(exchange: Exchange, reply: Reply): Reply {
  addVary(exchange.replyHeaders, 'Accept-Encoding')
  const tag = headerText(reply.headers, 'etag')
  const asked = parseTagList(headerText(exchange.headers, 'if-none-match') ?? '')
  if (!tag || asked === '*') return reply
  const variants = ALL.map((coding) => tagOfVariant(tag, coding))
  const held = asked.find(({ opaque, weak }) => !weak && variants.includes(opaque))
  return held ? { ...reply, headers: { ...reply.headers, etag: held.opaque } } : reply
}
