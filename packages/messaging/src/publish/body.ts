import { formatSize, toError } from '@tailwater/core'
import { describeIssues, type StandardSchema } from '@tailwater/jobs'
import { messagingError } from '../errors.ts'
import type { Message } from '../message.ts'

/** A body ready to go. */
export interface EncodedBody {
  readonly body: string | Uint8Array
  readonly contentType: string
}

const JSON_TYPE = 'application/json'
const BYTES_TYPE = 'application/octet-stream'

/** What a schema makes of a value. @throws E_MESSAGE_BODY */
export async function checkBody(schema: StandardSchema | undefined, what: string, value: unknown): Promise<unknown> {
  if (!schema) return value
  const result = await schema['~standard'].validate(value)
  if (!result.issues) return result.value
  throw messagingError(
    'E_MESSAGE_BODY',
    `the body of ${what} does not fit its schema: ${describeIssues(result.issues)}`,
    {
      issues: result.issues.length,
    },
  )
}

/** A value as a body: bytes as they are, anything else as JSON. @throws E_MESSAGE_BODY, E_MESSAGE_BODY_SIZE */
export function encodeBody(what: string, value: unknown, maxBody: number): EncodedBody {
  if (value instanceof Uint8Array) {
    checkSize(what, value.byteLength, maxBody)
    return { body: value, contentType: BYTES_TYPE }
  }
  let body: string | undefined
  try {
    body = JSON.stringify(value)
  } catch (error) {
    throw messagingError('E_MESSAGE_BODY', `the body of ${what} cannot be written as JSON: ${toError(error).message}`, {
      cause: error,
    })
  }
  if (body === undefined)
    throw messagingError('E_MESSAGE_BODY', `the body of ${what} cannot be written as JSON: it is ${typeof value}`)
  // A text of n characters has at most 3n bytes: most bodies need not be counted.
  if (body.length * 3 > maxBody) checkSize(what, Buffer.byteLength(body), maxBody)
  return { body, contentType: JSON_TYPE }
}

function checkSize(what: string, bytes: number, maxBody: number): void {
  if (bytes <= maxBody) return
  throw messagingError(
    'E_MESSAGE_BODY_SIZE',
    `the body of ${what} has ${formatSize(bytes)}, and ${formatSize(maxBody)} are allowed: store it elsewhere and send its address, or raise maxBody`,
    { bytes, maxBody },
  )
}

/** The value of a message's body: by its content type JSON, text or bytes; without one, JSON. @throws E_MESSAGE_BODY */
export function decodeBody({ body, contentType, topic }: Pick<Message, 'body' | 'contentType' | 'topic'>): unknown {
  const type = contentType.toLowerCase()
  const isJson = type === '' || /\bjson\b/.test(type)
  if (!isJson && (body instanceof Uint8Array || type.startsWith('text/')))
    return type.startsWith('text/') ? textOf(body) : body
  try {
    return JSON.parse(textOf(body))
  } catch (error) {
    throw messagingError('E_MESSAGE_BODY', `the body of '${topic}' is not JSON: ${toError(error).message}`, {
      cause: error,
    })
  }
}

const textOf = (body: string | Uint8Array) => (typeof body === 'string' ? body : Buffer.from(body).toString())
