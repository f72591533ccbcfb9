import { cacheError } from '../errors.ts'
import { CUSTOM_CODEC, JSON_CODEC } from './flags.ts'

/** Makes bytes of values, and values of bytes again. What `decode` throws is a miss; what `encode` throws becomes the cause of E_CACHE_VALUE. */
export interface EnvelopeCodec {
  encode(value: unknown): Buffer
  decode(bytes: Buffer): unknown
  /** Bits that say who wrote the body: a codec of one's own leaves it out. */
  readonly flag?: number
}

/** The bits of a codec. */
export function flagOf(codec: EnvelopeCodec | undefined): number {
  return codec ? (codec.flag ?? CUSTOM_CODEC) : JSON_CODEC
}

/** The error of a value that cannot be written. Never shows the value: it ends in logs. */
export function valueError(namespace: string, reason: string, cause?: unknown) {
  return cacheError('E_CACHE_VALUE', `a value of the cache '${namespace}' cannot be stored: ${reason}`, {
    namespace,
    ...(cause !== undefined && { cause }),
  })
}

/**
 * The text of a value's JSON.
 *
 * @param strict refuses what JSON would drop or change in silence: functions, symbols, Maps and Sets within the value. Slow, for development.
 * @throws E_CACHE_VALUE
 */
export function jsonText(value: unknown, namespace: string, strict: boolean): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value, strict ? refuseLossy : undefined)
  } catch (cause) {
    throw valueError(namespace, reasonOf(cause), cause)
  }
  if (text === undefined) throw valueError(namespace, `a ${typeof value} has no JSON`)
  return text
}

/** A value that would come back as something else. */
class LossyError extends TypeError {}

function refuseLossy(property: string, value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new LossyError(`'${property}' is a ${typeof value}, which JSON leaves out`)
  if (value instanceof Map || value instanceof Set)
    throw new LossyError(`'${property}' is a ${value.constructor.name}, of which JSON makes an empty object`)
  return value
}

function reasonOf(cause: unknown): string {
  if (cause instanceof LossyError) return cause.message
  const message = cause instanceof TypeError ? cause.message : ''
  if (/circular/i.test(message)) return 'it refers to itself'
  if (/BigInt/.test(message)) return 'it holds a BigInt, which has no JSON'
  return 'its JSON could not be made'
}
