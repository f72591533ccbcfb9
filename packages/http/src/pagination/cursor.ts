import { timingSafeEqual } from 'node:crypto'
import { type Keyring, TailwaterError } from '@tailwater/core'
import { createMac, type Mac } from './mac.ts'

/** A value of a sort column, as text so that nothing is lost on the way: microseconds, bigints, exact decimals. */
export type KeyValue = string | null

/** A place in a sorted list, and which way to read from it. */
export interface Position {
  direction: 'next' | 'previous'
  /** The sort columns of the row that the place is beside. */
  values: readonly KeyValue[]
  /** Whether that row itself belongs to what is read. */
  inclusive?: boolean
}

/** Turns positions into texts that clients hand back and cannot read a meaning into, nor forge. */
export interface Cursors {
  /** @param scope what list the cursor is good for; see `cursorScope` */
  encode(position: Position, scope: string): string
  /** @throws E_CURSOR when it is forged, of another list, sort or filter, or signed with a secret that is gone */
  decode(cursor: string, scope: string): Position
}

const PURPOSE = 'cursor'
/** 128 bits: forging one by trial is out of reach, and the cursor stays short. */
const MAC_BYTES = 16
/** Longest cursor looked at, in characters. */
const MAX_LENGTH = 2_048

/**
 * Makes cursors signed with HMAC-SHA-256. The scope goes into the signature, not into the text, so that a cursor
 * tells nothing of the query and works for no other. After a rotation of the secret, cursors of the old one stay
 * good as long as the keyring keeps it.
 */
export function createCursors({ keyring }: { keyring: Keyring }): Cursors {
  const keys = keyring.keys(PURPOSE).map(createMac)
  return {
    encode(position, scope) {
      const content = Buffer.from(JSON.stringify([codeOf(position), ...position.values]))
      return Buffer.concat([sign(keys[0]!, scope, content), content]).toString('base64url')
    },
    decode(cursor, scope) {
      const bytes = cursor.length <= MAX_LENGTH ? Buffer.from(cursor, 'base64url') : Buffer.alloc(0)
      const signature = bytes.subarray(0, MAC_BYTES)
      const content = bytes.subarray(MAC_BYTES)
      // base64url has several texts for the same bytes; only the one we wrote is ours.
      if (content.length === 0 || bytes.toString('base64url') !== cursor) throw refused()
      if (!keys.some((key) => timingSafeEqual(sign(key, scope, content), signature))) throw refused()
      return positionOf(JSON.parse(content.toString()))
    },
  }
}

/**
 * Names the list that a cursor is good for: the operation, its sort order, and everything that decides which rows
 * are in it. The order of the filters' names does not matter; absent ones count as not given.
 */
export function cursorScope(operation: string, sort: string, filters: Readonly<Record<string, unknown>> = {}): string {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined)
  given.sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([operation, sort, given])
}

function sign(mac: Mac, scope: string, content: Buffer): Buffer {
  return mac(Buffer.concat([Buffer.from(`${scope}\0`), content])).subarray(0, MAC_BYTES)
}

const CODES = { next: 'n', previous: 'p' } as const

function codeOf({ direction, inclusive }: Position): string {
  return CODES[direction] + (inclusive ? 'i' : '')
}

function positionOf([code, ...values]: [string, ...KeyValue[]]): Position {
  const direction = code.startsWith('n') ? 'next' : 'previous'
  return code.endsWith('i') ? { direction, values, inclusive: true } : { direction, values }
}

function refused(): TailwaterError<'E_CURSOR'> {
  return new TailwaterError(
    'E_CURSOR',
    'The cursor does not belong to this list, sort order and filter. Start again without one.',
  )
}
