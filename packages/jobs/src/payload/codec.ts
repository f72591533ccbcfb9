import { formatSize, show } from '@tailwater/core'
import { jobsError } from '../errors.ts'
import type { Encryption } from './encryption.ts'
import { describeIssues, type StandardSchema } from './standard_schema.ts'

/** Bytes of one UTF-16 unit in UTF-8 at most. */
const BYTES_PER_UNIT = 3

/** How the data of one kind is checked, written and read. */
export interface Codec {
  /**
   * The text to store. Answers at once unless the schema is asynchronous.
   *
   * @throws E_JOB_PAYLOAD, E_JOB_PAYLOAD_SIZE
   */
  write(payload: unknown): string | Promise<string>
  /** The payload as its handler gets it. @throws E_JOB_PAYLOAD, E_JOB_DECRYPT */
  read(stored: string): unknown
  /** A handler's result as it is stored; undefined when there is none. @throws E_JOB_PAYLOAD, E_JOB_PAYLOAD_SIZE */
  writeResult(result: unknown): string | undefined
  readResult(stored: string): unknown
}

/** What a codec is made of. */
export interface CodecParts {
  kind: string
  schema: StandardSchema | undefined
  /** Set for kinds whose data is encrypted. */
  encryption: Encryption | undefined
  /** Reads what was encrypted, by whomever: another process may encrypt what this one does not. */
  decryption: Encryption | undefined
  /** Bytes of a payload or result at most, before encryption. */
  maxSize: number
}

/** Builds the codec of one kind. */
export function createCodec({ kind, schema, encryption, decryption, maxSize }: CodecParts): Codec {
  const toText = (value: unknown, what: string) => limited(kind, serialise(kind, value, what), what, maxSize)
  const seal = (text: string) => (encryption ? encryption.encrypt(kind, text) : text)
  const parse = (stored: string): unknown => JSON.parse(decryption ? decryption.decrypt(kind, stored) : stored)
  return {
    write(payload) {
      const text = seal(toText(payload, 'payload'))
      const checked = schema && check(kind, schema, payload)
      return checked instanceof Promise ? checked.then(() => text) : text
    },
    read(stored) {
      const payload = parse(stored)
      return schema ? check(kind, schema, payload) : payload
    },
    writeResult: (result) => (result === undefined ? undefined : seal(toText(result, 'result'))),
    readResult: parse,
  }
}

/** The value that the schema makes of it. */
function check(kind: string, schema: StandardSchema, payload: unknown): unknown {
  const result = schema['~standard'].validate(payload)
  return result instanceof Promise ? result.then((settled) => accept(kind, settled)) : accept(kind, result)
}

function accept(kind: string, result: Awaited<ReturnType<StandardSchema['~standard']['validate']>>): unknown {
  if (!result.issues) return result.value
  throw jobsError('E_JOB_PAYLOAD', `the payload of '${kind}' is not valid: ${describeIssues(result.issues)}`, {
    kind,
    retryable: false,
  })
}

function serialise(kind: string, value: unknown, what: string): string {
  try {
    const json = JSON.stringify(value)
    if (json !== undefined) return json
  } catch (cause) {
    throw jobsError('E_JOB_PAYLOAD', `the ${what} of '${kind}' cannot be written as JSON`, { kind, cause })
  }
  throw jobsError('E_JOB_PAYLOAD', `the ${what} of '${kind}' must be JSON data, got ${show(value)}`, { kind })
}

function limited(kind: string, text: string, what: string, maxSize: number): string {
  if (text.length * BYTES_PER_UNIT <= maxSize) return text
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxSize) return text
  throw jobsError(
    'E_JOB_PAYLOAD_SIZE',
    `the ${what} of '${kind}' has ${formatSize(bytes)}, but ${formatSize(maxSize)} are the most: store the data elsewhere and pass its address`,
    { kind, bytes, maxSize },
  )
}
