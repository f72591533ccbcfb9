import { problem } from '../problem.ts'
import { MAX_DEPTH, nestsTooDeep } from './nesting.ts'
import { findUnsafe } from './plain_text.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * What must be in a text for its parsed value to hold anything unsafe: valid JSON can carry U+0000 and lone
 * surrogates only as escapes. Most bodies have none of these and are not walked.
 */
const SUSPECT = /\\u|__proto__|constructor/

/**
 * Parses a JSON body.
 *
 * @throws E_BODY_SYNTAX, E_VALIDATION with paths under `/body`
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
  const text = decode(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw problem(400, 'E_BODY_SYNTAX', 'The body is not valid JSON.', { cause })
  }
  if (nestsTooDeep(text)) throw tooDeep()
  if (SUSPECT.test(text)) refuseUnsafe(value)
  return value
}

function tooDeep() {
  const error = { path: '/body', message: `must not nest deeper than ${MAX_DEPTH} levels`, code: 'depth' }
  return problem(400, 'E_VALIDATION', 'The body is not valid.', { errors: [error] })
}

/** @throws E_VALIDATION when a body that somebody else parsed holds what no body may */
export function refuseUnsafe(value: unknown): void {
  const errors = findUnsafe(value, '/body')
  if (errors.length > 0) throw problem(400, 'E_VALIDATION', 'The body is not valid.', { errors })
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw problem(400, 'E_BODY_SYNTAX', 'The body is not valid UTF-8.', { cause })
  }
}

/**
 * @throws E_MEDIA_TYPE unless the body is sent as JSON in UTF-8
 */
export function requireJson(contentType: string | string[] | undefined): void {
  if (contentType === 'application/json') return
  const [type = '', ...parameters] = String(contentType ?? '')
    .toLowerCase()
    .split(';')
  const charset = parameters.map((p) => p.trim()).find((p) => p.startsWith('charset='))
  const isJson = /^\s*application\/(?:json|[\w.-]+\+json)\s*$/.test(type)
  if (isJson && (charset === undefined || /^charset="?utf-?8"?$/.test(charset))) return
  throw problem(415, 'E_MEDIA_TYPE', 'The body must be sent as application/json in UTF-8.', {
    headers: { accept: 'application/json' },
  })
}
