import { type BodyCipher, createBodyCipher } from './cipher.ts'
import { flagOf, jsonText, valueError } from './codec.ts'
import { compress, decompress } from './compression.ts'
import { type Decoded, type Envelope, type EnvelopeMeta, type Rejected, rejected } from './envelope.ts'
import { ABSENT, ASCII, CODEC, COMPRESSED, ENCRYPTED, JSON_CODEC } from './flags.ts'
import type { EnvelopeLayout } from './layout.ts'
import { layout1 } from './layout_1.ts'
import { type EnvelopeOptions, resolveEnvelopeOptions } from './options.ts'
import { TagMemory } from './tag_memory.ts'

/** The layout that is written. */
const written: EnvelopeLayout = layout1
/** By version: those that are read, the written one and the one before. */
const layouts: Readonly<Record<number, EnvelopeLayout>> = { [layout1.version]: layout1 }

/**
 * Makes and reads the envelopes of one namespace.
 *
 * Synchronous for small bodies, so that a hit costs no further turn of the event loop; large ones that are compressed come as promises.
 */
export interface EnvelopeFormat {
  /** @throws E_CACHE_VALUE for a value that cannot be written: circular, a BigInt within, a function */
  encode(key: string, value: unknown, meta: EnvelopeMeta): Buffer | Promise<Buffer>
  /** Reads the head alone: an entry whose tags are out of date need not be decoded. Never throws. */
  open(key: string, bytes: Buffer): Envelope | Rejected
  /** Never throws, nor rejects. */
  decode(envelope: Envelope): Decoded | Promise<Decoded>
}

/**
 * The format of one namespace.
 *
 * @throws E_OPTIONS
 * @example
 * const format = createEnvelopeFormat({ namespace: 'product' })
 * const bytes = await format.encode('product:42', { name: 'Lamp' }, { created, fresh: 60_000, usable: 120_000, tags: [] })
 * const envelope = format.open('product:42', bytes)
 * const decoded = envelope.rejected ? envelope : await format.decode(envelope)
 */
export function createEnvelopeFormat(options: EnvelopeOptions): EnvelopeFormat {
  const { namespace, codec, compression, encryption, strict } = resolveEnvelopeOptions(options)
  const cipher = encryption && createBodyCipher(encryption.keys)
  const own = flagOf(codec)
  const memory = new TagMemory()

  /** JSON without further treatment goes straight to its place. */
  function encodeText(key: string, text: string, meta: EnvelopeMeta): Buffer | Promise<Buffer> {
    const length = Buffer.byteLength(text)
    const flags = JSON_CODEC | (length === text.length ? ASCII : 0)
    if (cipher || (compression && length >= compression.min))
      return treat(key, Buffer.from(text, flags & ASCII ? 'latin1' : 'utf8'), flags, meta)
    const { bytes, bodyAt } = written.create(flags, meta, length)
    bytes.write(text, bodyAt, flags & ASCII ? 'latin1' : 'utf8')
    written.seal(key, bytes)
    return bytes
  }

  function treat(key: string, body: Buffer, flags: number, meta: EnvelopeMeta): Buffer | Promise<Buffer> {
    const small = compression && compress(body, compression)
    if (small instanceof Promise)
      return small.then((done) => finish(key, done ?? body, done ? flags | COMPRESSED : flags, meta))
    return finish(key, small ?? body, small ? flags | COMPRESSED : flags, meta)
  }

  function finish(key: string, body: Buffer, flags: number, meta: EnvelopeMeta): Buffer {
    if (!cipher) return assemble(key, body, flags, meta)
    // The head comes first: the body is bound to it, and its length does not stand there.
    const { bytes, headAt, bodyAt } = written.create(flags | ENCRYPTED, meta, 0)
    return assemble(
      key,
      cipher.encrypt(body, additionalData(key, bytes.subarray(headAt, bodyAt))),
      flags | ENCRYPTED,
      meta,
    )
  }

  function decodeBody(bytes: Buffer, at: number, flags: number): Decoded {
    const codecFlag = flags & CODEC
    if (codecFlag !== JSON_CODEC && codecFlag !== own) return rejected.codec
    try {
      if (flags & ABSENT) return { rejected: undefined, value: undefined }
      if (codecFlag !== JSON_CODEC) return { rejected: undefined, value: codec!.decode(bytes.subarray(at)) }
      return { rejected: undefined, value: JSON.parse(bytes.toString(flags & ASCII ? 'latin1' : 'utf8', at)) }
    } catch {
      return rejected.corrupt
    }
  }

  return {
    encode(key, value, meta) {
      if (value === undefined) return finish(key, Buffer.alloc(0), own | ABSENT, meta)
      if (!codec) return encodeText(key, jsonText(value, namespace, strict), meta)
      return treat(key, encodeBy(codec, value, namespace), own, meta)
    },
    open: (key, bytes) => {
      const layout = layouts[bytes[0] ?? -1]
      if (!layout) return rejected.foreign
      const envelope = layout.open(key, bytes, memory)
      if (!envelope) return rejected.corrupt
      return cipher && !(envelope.flags & ENCRYPTED) ? rejected.unencrypted : envelope
    },
    decode(envelope) {
      const { flags } = envelope
      if (!(flags & (COMPRESSED | ENCRYPTED))) return decodeBody(envelope.bytes, envelope.bodyAt, flags)
      try {
        const body = flags & ENCRYPTED ? decrypt(cipher, envelope) : envelope.bytes.subarray(envelope.bodyAt)
        if (!body) return rejected['unknown-key']
        if (!(flags & COMPRESSED)) return decodeBody(body, 0, flags)
        const whole = decompress(body)
        if (!(whole instanceof Promise)) return decodeBody(whole, 0, flags)
        return whole.then(
          (bytes) => decodeBody(bytes, 0, flags),
          () => rejected.corrupt,
        )
      } catch {
        return rejected.corrupt
      }
    },
  }
}

function encodeBy(codec: { encode(value: unknown): Buffer }, value: unknown, namespace: string): Buffer {
  if (typeof value === 'function' || typeof value === 'symbol') throw valueError(namespace, `it is a ${typeof value}`)
  try {
    return codec.encode(value)
  } catch (cause) {
    throw valueError(namespace, 'its codec refused it', cause)
  }
}

function assemble(key: string, body: Buffer, flags: number, meta: EnvelopeMeta): Buffer {
  const { bytes, bodyAt } = written.create(flags, meta, body.length)
  body.copy(bytes, bodyAt)
  written.seal(key, bytes)
  return bytes
}

function decrypt(cipher: BodyCipher | undefined, { key, bytes, headAt, bodyAt }: Envelope): Buffer | undefined {
  return cipher?.decrypt(bytes.subarray(bodyAt), additionalData(key, bytes.subarray(headAt, bodyAt)))
}

/** The head says by itself where it ends, so that no other pair of head and key makes the same bytes. */
function additionalData(key: string, head: Buffer): Buffer {
  return Buffer.concat([head, Buffer.from(key)])
}
