import { randomBytes } from 'node:crypto'
import type { FarClaim, FarReading, FarVersion } from '../far_backend.ts'

/**
 * What lies under a value's key: its version and then the envelope, in one string, so that both are read by one GET and a script needs only the first
 * bytes for a comparison. A tombstone is a version alone. The version's first letter tells them apart.
 */
export const VERSION_LENGTH = 20
const ENTRY = 'e'
const TOMBSTONE = 't'
/** By which an entry is told from a tombstone and from nothing. */
export const ENTRY_BYTE = ENTRY.charCodeAt(0)
const GRANTED = '2'.charCodeAt(0)

/** What a script takes for the version of nothing. */
export const NOTHING = '-'
/** What no version ever is: makes a script refuse. */
export const NEVER = '!'

/** The same in UTF-8 as byte by byte, as all are that we make. */
const OWN = /^[\w-]*$/

/** Makes versions that are never made again: 64 random bits of this process, and a count. */
export function createVersions(): (kind: 'entry' | 'tombstone') => string {
  const own = randomBytes(8).toString('base64url')
  let count = 0
  return (kind) => `${kind === 'entry' ? ENTRY : TOMBSTONE}${own}${(count++).toString(36).padStart(8, '0')}`
}

/** A reading of what GET gave. */
export function readStored(stored: Buffer | null, generation: number): FarReading {
  if (stored === null) return { version: nothingOf(generation), envelope: undefined }
  const version = stored.toString('latin1', 0, VERSION_LENGTH)
  return { version, envelope: stored[0] === ENTRY_BYTE ? stored.subarray(VERSION_LENGTH) : undefined }
}

/** What the script that claims has replied for one key. */
export function readClaim(reply: Buffer, generation: number): FarClaim {
  if (reply[0] === ENTRY_BYTE) return { reading: readStored(reply, generation), lease: undefined }
  const reading = readStored(reply.length > 1 ? reply.subarray(1) : null, generation)
  return { reading, lease: reply[0] === GRANTED ? 'granted' : 'held' }
}

/** Nothing, as it was found while the connection was in that generation. */
export function nothingOf(generation: number): FarVersion {
  return `${NOTHING}${generation}`
}

/**
 * What a script is to compare with: nothing that was found in an earlier generation is not what it would find now.
 *
 * What somebody else has written may be any bytes, which must go back as they came to be replaced; an empty text would mean any version to the script.
 */
export function comparable(expected: FarVersion, generation: number): string | Buffer {
  if (expected === '') return NEVER
  if (!expected.startsWith(NOTHING)) return OWN.test(expected) ? expected : Buffer.from(expected, 'latin1')
  return expected === nothingOf(generation) ? NOTHING : NEVER
}

/** Whether a version is that of an entry, and not of a tombstone or of nothing. */
export function isEntry(version: string): boolean {
  return version.startsWith(ENTRY)
}
