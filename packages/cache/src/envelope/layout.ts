import type { Envelope, EnvelopeMeta } from './envelope.ts'
import type { TagMemory } from './tag_memory.ts'

/**
 * One version of how an envelope is laid out. Its first byte is the version.
 *
 * A release writes its own version and reads that before it too, so that two releases run side by side during a deployment: the older takes what
 * the newer wrote for a miss. What bits and bodies mean is not the layout's affair.
 */
export interface EnvelopeLayout {
  readonly version: number
  /** Room for an envelope, with its head written; `headAt` to `bodyAt` is what encryption binds the body to. */
  create(flags: number, meta: EnvelopeMeta, bodyLength: number): { bytes: Buffer; headAt: number; bodyAt: number }
  /** Finishes an envelope whose body has been written. */
  seal(key: string, bytes: Buffer): void
  /** Reads the head; undefined when the bytes are not what was written under that key. */
  open(key: string, bytes: Buffer, memory: TagMemory): Envelope | undefined
}
