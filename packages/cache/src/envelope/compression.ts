import { promisify } from 'node:util'
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib'

/** When bodies are compressed. */
export interface Compression {
  /** Bytes from which on it is tried. */
  readonly min: number
  /** Kept if it leaves this share of the bytes, or less. */
  readonly ratio: number
  /** Of zstd, 1 to 3: beyond, time grows faster than bytes shrink. */
  readonly level: number
}

/** Bytes from which on the work is done beside the event loop: 64 kB take about 0.2 ms, and going to a thread and back a part of that. */
const ASYNC_FROM = 65_536
/** Bytes of the length in front of a compressed body. */
const LENGTH = 4
/** Bytes that a body may claim to have been: a few bytes could otherwise ask for all memory. */
const MAX_BYTES = 134_217_728

const compressBeside = promisify(zstdCompress)
const decompressBeside = promisify(zstdDecompress)

/** The compressed body, or undefined where it is not worth it. Large ones are worked on by another thread. */
export function compress(
  body: Buffer,
  { min, ratio, level }: Compression,
): Buffer | undefined | Promise<Buffer | undefined> {
  if (body.length < min || body.length > MAX_BYTES) return undefined
  const options = { params: { [constants.ZSTD_c_compressionLevel]: level } }
  const keep = (small: Buffer) => {
    if (small.length + LENGTH > body.length * ratio) return undefined
    const length = Buffer.allocUnsafe(LENGTH)
    length.writeUInt32BE(body.length)
    return Buffer.concat([length, small])
  }
  return body.length < ASYNC_FROM ? keep(zstdCompressSync(body, options)) : compressBeside(body, options).then(keep)
}

/** What `compress` was given; throws, or rejects, where the bytes are not its work. */
export function decompress(body: Buffer): Buffer | Promise<Buffer> {
  const length = body.readUInt32BE(0)
  if (length > MAX_BYTES) throw new RangeError(`a body of ${length} bytes`)
  const options = { maxOutputLength: Math.max(1, length) }
  const small = body.subarray(LENGTH)
  const check = (whole: Buffer) => {
    if (whole.length !== length) throw new RangeError(`${whole.length} bytes instead of ${length}`)
    return whole
  }
  return length < ASYNC_FROM
    ? check(zstdDecompressSync(small, options))
    : decompressBeside(small, options).then((whole) => check(whole))
}
