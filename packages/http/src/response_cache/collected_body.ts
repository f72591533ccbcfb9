import { Readable } from 'node:stream'
import type { Reply } from '../exchange.ts'

/** A body on its way to the client, and the whole of it when it has come through. */
export interface CollectedBody {
  body: Reply['body']
  /** Undefined when it was larger than the limit, or did not come to its end. */
  whole: Promise<Buffer | undefined>
}

/** Follows a body without holding it up; beyond `limit` bytes it is no longer kept. */
export function collectBody(body: Reply['body'], limit: number): CollectedBody {
  if (!(body instanceof Readable)) {
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body as string)
    return { body, whole: Promise.resolve(bytes.length <= limit ? bytes : undefined) }
  }
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>()
  const followedBody = Readable.from(followed(body, limit, resolve), { objectMode: false })
  // A client that left before the first byte: the generator, never begun, does not see its own end.
  followedBody.once('close', () => {
    body.destroy()
    resolve(undefined)
  })
  return { body: followedBody, whole: promise }
}

async function* followed(
  source: Readable,
  limit: number,
  done: (whole: Buffer | undefined) => void,
): AsyncGenerator<Buffer> {
  let pieces: Buffer[] | undefined = []
  let length = 0
  let whole: Buffer | undefined
  try {
    for await (const chunk of source) {
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)
      length += bytes.length
      if (length > limit) {
        pieces = undefined
        // Known to be too large: those who wait for it need not wait for its end.
        done(undefined)
      }
      pieces?.push(bytes)
      yield bytes
    }
    whole = pieces && Buffer.concat(pieces, length)
  } finally {
    // Also when the client went away, or the source failed.
    done(whole)
  }
}
