import type { Transform } from 'node:stream'
import { promisify } from 'node:util'
import {
  type BrotliOptions,
  brotliCompress,
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzip,
  gzipSync,
  type ZlibOptions,
  type ZstdOptions,
  zstdCompress,
  zstdCompressSync,
} from 'node:zlib'

/** The codings we can produce, by their names in `Content-Encoding`. */
export type ContentCoding = 'zstd' | 'br' | 'gzip'

/** How hard each coding tries. */
export type CodingLevels = Readonly<Record<ContentCoding, number>>

/** One coding at one level. */
export interface Encoder {
  encodeSync(bytes: Uint8Array): Buffer
  encode(bytes: Uint8Array): Promise<Buffer>
  /** A stream whose `flush` makes everything written so far decodable by the client. */
  stream(): FlushableStream
}

/** A compressing stream of node:zlib. */
export interface FlushableStream extends Transform {
  flush(kind: number, done: () => void): void
  readonly flushKind?: number
}

/**
 * Bits of the window of a brotli or zstd stream: 512 KB, instead of the 4 MB that each open stream
 * would otherwise hold. Replies are rarely so long that a farther match pays.
 */
const STREAM_WINDOW_BITS = 19

/** Whether this Node has zstd: 22.15 and 23.8 brought it. */
export const hasZstd: boolean = typeof createZstdCompress === 'function'

/** Which flush ends what was written so far, without resetting the dictionary. */
export const FLUSH_KIND: Readonly<Record<ContentCoding, number>> = {
  zstd: constants.ZSTD_e_flush,
  br: constants.BROTLI_OPERATION_FLUSH,
  gzip: constants.Z_SYNC_FLUSH,
}

/** The encoders of the given codings. */
export function createEncoders(levels: CodingLevels): Readonly<Record<ContentCoding, Encoder>> {
  return { zstd: zstdEncoder(levels.zstd), br: brotliEncoder(levels.br), gzip: gzipEncoder(levels.gzip) }
}

function gzipEncoder(level: number): Encoder {
  const options: ZlibOptions = { level }
  const encode = promisify<Uint8Array, ZlibOptions, Buffer>(gzip)
  return {
    encodeSync: (bytes) => gzipSync(bytes, options),
    encode: (bytes) => encode(bytes, options),
    stream: () => createGzip(options) as unknown as FlushableStream,
  }
}

function brotliEncoder(level: number): Encoder {
  const params = { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT }
  const encode = promisify<Uint8Array, BrotliOptions, Buffer>(brotliCompress)
  const streamed: BrotliOptions = { params: { ...params, [constants.BROTLI_PARAM_LGWIN]: STREAM_WINDOW_BITS } }
  const whole = (bytes: Uint8Array): BrotliOptions => ({
    params: { ...params, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  })
  return {
    encodeSync: (bytes) => brotliCompressSync(bytes, whole(bytes)),
    encode: (bytes) => encode(bytes, whole(bytes)),
    stream: () => createBrotliCompress(streamed) as unknown as FlushableStream,
  }
}

function zstdEncoder(level: number): Encoder {
  const params = { [constants.ZSTD_c_compressionLevel]: level }
  const options: ZstdOptions = { params }
  const streamed: ZstdOptions = { params: { ...params, [constants.ZSTD_c_windowLog]: STREAM_WINDOW_BITS } }
  const encode = (bytes: Uint8Array) => promisify<Uint8Array, ZstdOptions, Buffer>(zstdCompress)(bytes, options)
  return {
    encodeSync: (bytes) => zstdCompressSync(bytes, options),
    encode,
    stream: () => createZstdCompress(streamed) as unknown as FlushableStream,
  }
}
