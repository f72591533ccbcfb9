import type { EnvelopeTag } from './envelope.ts'

/** Bytes of tags that are worth comparing: more cost as much as reading them. */
const LONGEST = 512

/**
 * The tags of the envelope that was opened last.
 *
 * Most envelopes of a namespace have the same tags with the same numbers. Comparing some dozen bytes is several times cheaper than making texts, numbers and objects of them, and as the
 * list is then the same object, whoever has judged it need not judge it again.
 */
export class TagMemory {
  tags: readonly EnvelopeTag[] = []
  #section: Uint8Array = new Uint8Array(0)

  /** Where the tags end that begin there, if they are those that were kept; else -1. */
  endOf(bytes: Uint8Array, at: number): number {
    const section = this.#section
    const { length } = section
    if (length === 0 || at + length > bytes.length) return -1
    // From the end: that is where they differ.
    for (let i = length - 1; i >= 0; i--) if (bytes[at + i] !== section[i]) return -1
    return at + length
  }

  keep(bytes: Uint8Array, from: number, to: number, tags: readonly EnvelopeTag[]): void {
    if (to - from > LONGEST) return
    this.#section = Uint8Array.prototype.slice.call(bytes, from, to)
    this.tags = tags
  }
}
