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
 * @param strict refuses what JSON would drop or change in silence: functions, symbols, Maps, Sets, bytes and the like. Slow, for development.
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

/** A replacer of JSON.stringify that lets everything pass, or throws. */
function refuseLossy(this: Readonly<Record<string, unknown>>, property: string, value: unknown): unknown {
  // As it stands there: a Buffer has been asked for its JSON already.
  const loss = lossOf(this[property])
  if (loss !== undefined) throw new LossyError(`${property === '' ? 'it' : `'${property}'`} is ${loss}`)
  return value
}

/** Of what JSON makes an empty object, though it is none. */
const EMPTIED = [Map, Set, WeakMap, WeakSet, RegExp, Error, ArrayBuffer]

/** What JSON would lose of a value, its members aside. Not of a Date: everybody knows that it becomes a text. */
function lossOf(value: unknown): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}, which JSON leaves out`
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${value}, of which JSON makes null`
  if (typeof value !== 'object' || value === null) return undefined
  if (ArrayBuffer.isView(value)) return 'bytes, of which JSON makes an object of numbers'
  const kind = EMPTIED.find((kind) => value instanceof kind)
  return kind && `a ${kind.name}, of which JSON makes an empty object`
}

function reasonOf(cause: unknown): string {
  if (cause instanceof LossyError) return cause.message
  const message = cause instanceof TypeError ? cause.message : ''
  if (/circular/i.test(message)) return 'it refers to itself'
  if (/BigInt/.test(message)) return 'it holds a BigInt, which has no JSON'
  return 'its JSON could not be made'
}
