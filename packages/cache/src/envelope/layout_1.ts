import { crc32 } from 'node:zlib'
import type { Envelope, EnvelopeMeta, EnvelopeTag } from './envelope.ts'
import type { EnvelopeLayout } from './layout.ts'
import type { TagMemory } from './tag_memory.ts'

/**
 * Version 1 of the envelope. Numbers are big-endian.
 *
 *   0      version, 1
 *   1..4   CRC-32 of the cache's key and of everything from byte 5 on
 *   5      flags
 *   6..11  created: milliseconds since the Unix epoch by the store's clock
 *   12..17 fresh: milliseconds after that
 *   18..23 usable: milliseconds after that
 *   24..25 count of tags; each: 2 bytes of length, its name in UTF-8, its number as a double
 *   then   the body
 *
 * The key is part of the checksum, so that bytes that come to lie under another key are no entry there. A checksum is no signature: who may write to the
 * store can make one. Encryption is what keeps such a one out.
 */
const VERSION = 1
const CHECK_AT = 1
const FLAGS_AT = 5
const CREATED_AT = 6
const FRESH_AT = 12
const USABLE_AT = 18
const TAGS_AT = 24
const FIXED = 26
/** Bytes of a tag beside its name. */
const TAG_OVERHEAD = 10
/** The largest number of six bytes: 8,900 years in milliseconds. */
const MAX_UINT48 = 2 ** 48 - 1

const uint48 = (ms: number) => Math.min(MAX_UINT48, Math.max(0, Math.round(ms)))

/** The layout of version 1. */
export const layout1: EnvelopeLayout = {
  version: VERSION,
  create(flags, meta, bodyLength) {
    const bodyAt = FIXED + tagsLength(meta.tags)
    const bytes = Buffer.allocUnsafe(bodyAt + bodyLength)
    bytes[0] = VERSION
    bytes[FLAGS_AT] = flags
    bytes.writeUIntBE(uint48(meta.created), CREATED_AT, 6)
    bytes.writeUIntBE(uint48(meta.fresh), FRESH_AT, 6)
    bytes.writeUIntBE(uint48(meta.usable), USABLE_AT, 6)
    writeTags(bytes, meta.tags)
    return { bytes, headAt: FLAGS_AT, bodyAt }
  },
  seal(key, bytes) {
    bytes.writeUInt32BE(checksum(key, bytes), CHECK_AT)
  },
  open(key, bytes, memory) {
    if (bytes.length < FIXED || bytes.readUInt32BE(CHECK_AT) !== checksum(key, bytes)) return undefined
    const known = memory.endOf(bytes, TAGS_AT)
    return known < 0 ? openAnew(key, bytes, memory) : envelopeOf(key, bytes, known, memory.tags)
  },
}

function openAnew(key: string, bytes: Buffer, memory: TagMemory): Envelope | undefined {
  const tags: EnvelopeTag[] = []
  const bodyAt = readTags(bytes, tags)
  if (bodyAt < 0) return undefined
  memory.keep(bytes, TAGS_AT, bodyAt, tags)
  return envelopeOf(key, bytes, bodyAt, tags)
}

function envelopeOf(key: string, bytes: Buffer, bodyAt: number, tags: readonly EnvelopeTag[]): Envelope {
  return {
    rejected: undefined,
    created: bytes.readUIntBE(CREATED_AT, 6),
    fresh: bytes.readUIntBE(FRESH_AT, 6),
    usable: bytes.readUIntBE(USABLE_AT, 6),
    tags,
    key,
    bytes,
    flags: bytes[FLAGS_AT]!,
    headAt: FLAGS_AT,
    bodyAt,
  }
}

function checksum(key: string, bytes: Buffer): number {
  return crc32(bytes.subarray(FLAGS_AT), crc32(key))
}

function tagsLength(tags: EnvelopeMeta['tags']): number {
  let length = 0
  for (const { name } of tags) length += TAG_OVERHEAD + Buffer.byteLength(name)
  return length
}

function writeTags(bytes: Buffer, tags: EnvelopeMeta['tags']): void {
  bytes.writeUInt16BE(tags.length, TAGS_AT)
  let at = FIXED
  for (const { name, number } of tags) {
    const length = bytes.write(name, at + 2)
    bytes.writeUInt16BE(length, at)
    at = bytes.writeDoubleBE(number, at + 2 + length)
  }
}

/** Reads the tags into a list; where they end, or -1 if the bytes end before them. */
function readTags(bytes: Buffer, into: EnvelopeTag[]): number {
  let at = FIXED
  for (let left = bytes.readUInt16BE(TAGS_AT); left > 0; left--) {
    if (at + TAG_OVERHEAD > bytes.length) return -1
    const end = at + 2 + bytes.readUInt16BE(at)
    if (end + 8 > bytes.length) return -1
    into.push({ name: bytes.toString('utf8', at + 2, end), number: bytes.readDoubleBE(end) })
    at = end + 8
  }
  return at
}
