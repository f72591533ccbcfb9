/** A tag of an entry, with its number as it was when the entry's load began. */
export interface EnvelopeTag {
  readonly name: string
  readonly number: number
}

/** What an entry says of itself beside its value. */
export interface EnvelopeMeta {
  /** Milliseconds since the Unix epoch by the store's clock, as `StoreTime` tells it. */
  readonly created: number
  /** Milliseconds after `created` during which the value is fresh. */
  readonly fresh: number
  /** Milliseconds after `created` until which it may be served stale; at least `fresh`. */
  readonly usable: number
  readonly tags: readonly EnvelopeTag[]
}

/** An envelope whose head was read and whose bytes are whole; its value is still to be decoded. */
export interface Envelope extends EnvelopeMeta {
  readonly rejected: undefined
  readonly key: string
  /** The whole envelope. */
  readonly bytes: Buffer
  /** Bits of `flags.ts`. */
  readonly flags: number
  /** Where the head's own fields begin, and where the body begins. */
  readonly headAt: number
  readonly bodyAt: number
}

/**
 * Why bytes are no entry, for statistics; each of them is a miss.
 *
 * - `foreign`: not an envelope, or one of a version that this release does not read
 * - `corrupt`: cut off, changed, or written under another key
 * - `unencrypted`: it should be encrypted and is not
 * - `unknown-key`: encrypted with a key that is neither the current nor the previous one
 * - `codec`: written with a codec that this namespace does not have
 */
export type Rejection = 'foreign' | 'corrupt' | 'unencrypted' | 'unknown-key' | 'codec'

/** Bytes that are no entry. */
export interface Rejected {
  readonly rejected: Rejection
}

/** A value, or why there is none. */
export type Decoded = { readonly rejected: undefined; readonly value: unknown } | Rejected

/** The result of `Rejection`s without a new object for each. */
export const rejected: Readonly<Record<Rejection, Rejected>> = {
  foreign: { rejected: 'foreign' },
  corrupt: { rejected: 'corrupt' },
  unencrypted: { rejected: 'unencrypted' },
  'unknown-key': { rejected: 'unknown-key' },
  codec: { rejected: 'codec' },
}
