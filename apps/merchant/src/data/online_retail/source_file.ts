import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { type Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { toError } from '@tailwater/core'
import { importError } from '../errors.ts'

/** A file of text, plain or gzipped, that has been found to be there. */
export interface SourceFile {
  /** Bytes of the file itself, compressed or not. */
  size: number
  /** Opens the file. Listen for the text's errors at once: it may fail on the first byte. */
  read(): SourceText
}

/** A file being read. */
export interface SourceText {
  /** The plain text's bytes, known to be UTF-8. Fails with E_IMPORT_FILE, E_IMPORT_GZIP or E_IMPORT_ENCODING. */
  text: Readable
  /** How many bytes of the file, compressed or not, have been read. */
  bytesRead(): number
}

const GZIP_MAGIC = [0x1f, 0x8b]
/** Of zip archives, and so of .xlsx files, which people take for CSV. */
const ZIP_MAGIC = [0x50, 0x4b, 0x03, 0x04]
const NEWLINE = 0x0a

/**
 * Looks at a file; whether it is gzipped is seen by its first bytes, not by its name.
 *
 * @throws E_IMPORT_FILE when it cannot be read, E_IMPORT_EMPTY when it has no bytes, E_IMPORT_ENCODING when it is a zip archive
 */
export async function findSourceFile(path: string, signal?: AbortSignal): Promise<SourceFile> {
  const { size, magic } = await look(path)
  if (size === 0) throw importError('E_IMPORT_EMPTY', `${path} is empty`, { path })
  if (startsWith(magic, ZIP_MAGIC))
    throw importError('E_IMPORT_ENCODING', `${path} is a zip archive or an Excel workbook; save it as CSV`, { path })
  return { size, read: () => readText(path, startsWith(magic, GZIP_MAGIC), signal) }
}

function readText(path: string, gzipped: boolean, signal: AbortSignal | undefined): SourceText {
  const file = createReadStream(path, { highWaterMark: 262_144, ...(signal && { signal }) })
  const text = checkUtf8(path)
  file.on('error', (cause) => text.destroy(signal?.aborted ? cause : unreadable(path, cause)))
  if (gzipped) {
    const gunzip = createGunzip()
    gunzip.on('error', (cause) => text.destroy(gzipError(path, cause)))
    file.pipe(gunzip).pipe(text)
  } else file.pipe(text)
  text.on('close', () => file.destroy())
  return { text, bytesRead: () => file.bytesRead }
}

async function look(path: string): Promise<{ size: number; magic: Uint8Array }> {
  try {
    const { size } = await stat(path)
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(4), 0, 4, 0)
      return { size, magic: buffer.subarray(0, bytesRead) }
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): Error {
  return importError('E_IMPORT_FILE', `${path} cannot be read: ${toError(cause).message}`, { cause, path })
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, at) => bytes[at] === byte)
}

function gzipError(path: string, cause: Error): Error {
  const why = 'code' in cause && cause.code === 'Z_BUF_ERROR' ? 'it ends too early' : cause.message
  return importError('E_IMPORT_GZIP', `${path} is not a whole gzip file: ${why}`, { cause, path })
}

/** Passes bytes on as they are; fails, naming the line, on the first that are not UTF-8 text. */
function checkUtf8(path: string): Transform {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let lines = 1
  const check = (chunk: Uint8Array, last: boolean): Error | undefined => {
    try {
      decoder.decode(chunk, { stream: !last })
    } catch (cause) {
      return encodingError(path, lines + lineOfBadByte(chunk), 'is not UTF-8 text; save the file as UTF-8', cause)
    }
    const zero = chunk.indexOf(0)
    if (zero >= 0)
      return encodingError(
        path,
        lines + countNewlines(chunk.subarray(0, zero)),
        'has a zero byte: this is not a text file',
      )
    lines += countNewlines(chunk)
    return undefined
  }
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      const error = check(chunk, false)
      if (error) done(error)
      else done(null, chunk)
    },
    flush: (done) => done(check(new Uint8Array(), true) ?? null),
  })
}

function encodingError(path: string, line: number, why: string, cause?: unknown): Error {
  return importError('E_IMPORT_ENCODING', `line ${line} of ${path} ${why}`, { cause, path, line })
}

/** Lines before the first byte that cannot be decoded; a character cut off by the chunk's start counts as on its first line. */
function lineOfBadByte(chunk: Uint8Array): number {
  const text = new TextDecoder('utf-8').decode(chunk)
  const bad = text.indexOf('\uFFFD')
  return bad < 0 ? 0 : text.slice(0, bad).split('\n').length - 1
}

function countNewlines(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++
  return count
}
