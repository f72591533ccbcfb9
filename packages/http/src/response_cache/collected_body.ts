import { Readable } from 'node:stream'
import type { Reply } from '../exchange.ts'

/** A body on its way to the client, and the whole of it when it has come through. */
export interface CollectedBody {
  body: Reply['body']
  /** Undefined when it was larger than the limit, or did not come to its end. */
  whole: Promise<Buffer | undefined>
}

/**
 * Follows a body for the client that asked, and for those who come after.
 *
 * It is read as fast as it comes while it can still be kept, however slowly the client reads and though it leaves: one client must not decide when the others are
 * answered. So it holds up to `limit` bytes. Beyond that it is the client's alone: read at its pace, and ended when it leaves.
 */
export function collectBody(body: Reply['body'], limit: number): CollectedBody {
  if (body instanceof Readable) return followed(body, limit)
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body as string)
  return { body, whole: Promise.resolve(bytes.length <= limit ? bytes : undefined) }
}

function followed(source: Readable, limit: number): CollectedBody {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>()
  let pieces: Buffer[] | undefined = []
  let length = 0
  const forClient = new Readable({
    read: () => void source.resume(),
    destroy(error, done) {
      if (!pieces) source.destroy()
      done(error)
    },
  })
  // Nobody may be listening: a refresh in the background has no client.
  forClient.on('error', () => {})
  source.on('data', (chunk: Buffer | string) => {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)
    length += bytes.length
    if (length > limit) {
      pieces = undefined
      // Known to be too large: those who wait for it need not wait for its end.
      resolve(undefined)
    }
    pieces?.push(bytes)
    if (forClient.destroyed) {
      if (!pieces) source.destroy()
    } else if (!forClient.push(bytes) && !pieces) source.pause()
  })
  source.on('end', () => {
    resolve(pieces && Buffer.concat(pieces, length))
    if (!forClient.destroyed) forClient.push(null)
  })
  source.on('error', (error) => forClient.destroy(error))
  source.once('close', () => {
    // Without an end before it: it broke off.
    resolve(undefined)
    if (!source.readableEnded) forClient.destroy(source.errored ?? new Error('the body broke off'))
  })
  return { body: forClient, whole: promise }
}
