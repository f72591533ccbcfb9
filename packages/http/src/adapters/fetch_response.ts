import { Readable } from 'node:stream'
import { toError } from '@tailwater/core'
import type { Reply } from '../exchange.ts'
import { faultReply } from '../fault.ts'
import { complete } from '../internal/hooks.ts'
import type { LiveExchange } from '../internal/live_exchange.ts'

/** nginx's status for a client that went away before there was a reply; never sent. */
const CLIENT_CLOSED = 499

/** Makes the Response of a completed reply, and tells the exchange's outcome when its last byte is taken. */
export async function responseOf(exchange: LiveExchange, reply: Reply): Promise<Response> {
  const { status, body } = reply
  const headers = headersOf(reply)
  if (body instanceof Readable) return streamed(exchange, reply, body)
  const aborted = exchange.signal.aborted
  exchange.finish({ status: aborted ? CLIENT_CLOSED : status, aborted, bytes: aborted ? undefined : exchange.bytes })
  return new Response((body ?? null) as BodyInit | null, { status, headers })
}

function headersOf(reply: Reply): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(reply.headers))
    for (const line of Array.isArray(value) ? value : [value]) headers.append(name, line)
  return headers
}

/** The first piece is awaited, so that a source that fails at once can still be told of as a problem. */
async function streamed(exchange: LiveExchange, reply: Reply, body: Readable): Promise<Response> {
  const { status } = reply
  const pieces = body[Symbol.asyncIterator]() as AsyncIterator<Buffer | string>
  exchange.signal.addEventListener('abort', () => body.destroy(), { once: true })
  let next: IteratorResult<Buffer | string> | undefined
  try {
    next = await pieces.next()
  } catch (error) {
    return responseOf(exchange, complete(exchange, faultReply(error, exchange)))
  }
  let bytes = 0
  const finish = (aborted: boolean) => exchange.finish({ status, aborted, bytes })
  const source = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = next ?? (await pieces.next())
        next = undefined
        if (done) {
          finish(exchange.signal.aborted)
          controller.close()
          return
        }
        const chunk = typeof value === 'string' ? Buffer.from(value) : value
        bytes += chunk.length
        controller.enqueue(chunk)
      } catch (error) {
        finish(true)
        controller.error(error)
      }
    },
    cancel() {
      body.destroy()
      finish(true)
    },
  })
  return new Response(source, { status, headers: headersOf(reply) })
}

/** Longest body that is gathered to be shown to hooks whole. */
const MAX_WHOLE = 1_048_576

/**
 * Reads the reply out of a Response.
 *
 * A Response does not tell whether its body is whole or a stream. A body that is complete within one turn of the
 * event loop is taken as whole; anything slower or longer than 1 MiB is passed on as it comes.
 */
export async function replyOf(response: Response): Promise<Reply> {
  const headers: Reply['headers'] = Object.fromEntries(response.headers)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) headers['set-cookie'] = cookies
  const { status } = response
  if (!response.body) return { status, headers, body: undefined }
  const reader = response.body.getReader()
  const taken: Uint8Array[] = []
  const unfinished = await takeWhole(reader, taken)
  if (!unfinished) return { status, headers, body: Buffer.concat(taken) }
  return { status, headers, body: rest(taken, unfinished.pending, reader) }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>
type Read = ReturnType<Reader['read']>

/** @returns the read that would have to be waited for; undefined when all is taken */
async function takeWhole(reader: Reader, taken: Uint8Array[]): Promise<{ pending: Read } | undefined> {
  for (let size = 0; ; ) {
    const read = reader.read()
    const result = await Promise.race([read, turn()])
    if (!result || size > MAX_WHOLE) return { pending: read }
    if (result.done) return undefined
    size += result.value.byteLength
    taken.push(result.value)
  }
}

const turn = () => new Promise<undefined>((resolve) => setImmediate(resolve, undefined))

/**
 * What is left of a body. Not a generator: one that waits for the next piece cannot be ended, and the handler's
 * stream would not hear that the client has left until it had something more to say.
 */
function rest(taken: Uint8Array[], pending: Read, reader: Reader): Readable {
  let next: Read | undefined = pending
  const body = new Readable({
    read() {
      const chunk = taken.shift()
      if (chunk) {
        body.push(chunk)
        return
      }
      const read = next ?? reader.read()
      next = undefined
      read.then(
        ({ done, value }) => {
          if (!body.destroyed) body.push(done ? null : value)
        },
        (error: unknown) => body.destroy(toError(error)),
      )
    },
    destroy(error, done) {
      const told = () => done(error)
      // A stream that is done ignores it.
      reader.cancel(error).then(told, told)
    },
  })
  return body
}
