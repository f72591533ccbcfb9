import type { Readable } from 'node:stream'
import { hasCode } from '@tailwater/core'
import { problem } from './problem.ts'

/** Where a request's body comes from: a stream still unread, or a value that somebody has parsed already. */
export interface BodySource {
  /** Whether the request announces a body. */
  readonly present: boolean
  /** The value when a parser before us has read the body. */
  readonly parsed?: { value: unknown } | undefined
  /** @throws E_BODY_TOO_LARGE, E_MEDIA_TYPE, E_BAD_REQUEST when the client leaves amid it */
  read(limit: number): Promise<Uint8Array>
}

/** The problem of a body beyond a route's limit. */
export function tooLarge(limit: number) {
  return problem(413, 'E_BODY_TOO_LARGE', `The body is larger than the ${limit} bytes that this route accepts.`)
}

/**
 * Refuses a body in a coding: nothing here decodes one, and its bytes would be told of as bad JSON.
 *
 * @throws E_MEDIA_TYPE
 */
export function refuseCoding(coding: string | undefined): void {
  if (coding === undefined || coding.trim().toLowerCase() === 'identity') return
  throw problem(415, 'E_MEDIA_TYPE', 'The body must be sent without a content coding.', {
    headers: { 'accept-encoding': 'identity' },
  })
}

/** The problem of a body whose sender left amid it: no fault of ours, and answered to nobody. */
export function endedEarly(cause?: Error) {
  return problem(400, 'E_BAD_REQUEST', 'The body ended before it was complete.', cause && { cause })
}

/** Reads a stream whole. */
export function readStream(source: Readable, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const stop = (act: () => void) => {
      source.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
      act()
    }
    const onData = (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size > limit)
        stop(() => {
          // The rest is read and thrown away: a client reads no reply while it is sending, and hanging up on it would
          // reset the connection with the reply in it.
          source.resume()
          reject(tooLarge(limit))
        })
    }
    const onEnd = () => stop(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    const onError = (error: Error) => stop(() => reject(hasCode(error, 'ECONNRESET') ? endedEarly(error) : error))
    const onClose = () => stop(() => reject(endedEarly()))
    source.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
  })
}
