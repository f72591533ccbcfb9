import { httpError, toError } from '@tailwater/core'
import type { Exchange, Reply } from './exchange.ts'
import { HttpProblem, problem, problemReply } from './problem.ts'

/** Seconds after which a client may try again while the database is away: its pool reconnects within that. */
const RETRY_AFTER_SECONDS = '2'

/**
 * The problem that stands for whatever was thrown.
 *
 * Problems stay as they are; known codes and other frameworks' client errors are translated; everything else is
 * a 500 whose cause only `httpError` shows.
 */
export function toProblem(thrown: unknown): HttpProblem {
  if (thrown instanceof HttpProblem) return thrown
  const error = toError(thrown) as Error & { code?: unknown; details?: { sqlState?: unknown } }
  return fromCode(error) ?? fromStatus(error) ?? problem(500, 'E_INTERNAL', INTERNAL_DETAIL, { cause: error })
}

const INTERNAL_DETAIL = 'The server could not answer. Quote the request id when you report it.'

function fromCode(error: Error & { code?: unknown; details?: { sqlState?: unknown } }): HttpProblem | undefined {
  const cause = error
  switch (error.code) {
    case 'E_DATABASE_UNAVAILABLE':
    case 'E_DATABASE_TIMEOUT':
      return problem(503, 'E_UNAVAILABLE', 'The service cannot reach its data just now. Try again shortly.', {
        headers: { 'retry-after': RETRY_AFTER_SECONDS },
        cause,
      })
    case 'E_QUERY':
      // Class 22, data exception: a value that passed the schema but that its column cannot hold.
      return String(error.details?.sqlState).startsWith('22')
        ? problem(400, 'E_VALIDATION', 'A value is malformed or out of range.', { cause })
        : undefined
    case 'E_RESPONSE_SCHEMA':
      return problem(500, 'E_RESPONSE_SCHEMA', error.message, { cause })
    case 'E_CURSOR':
      return problem(400, 'E_CURSOR', error.message, {
        errors: [{ path: '/query/cursor', message: error.message, code: 'cursor' }],
      })
    case 'E_TOKEN_INVALID':
    case 'E_TOKEN_EXPIRED':
      return problem(401, error.code, error.message, {
        headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
      })
  }
  return undefined
}

/** Fastify's and Express's body parsers mark client errors by `statusCode` or `status`. */
function fromStatus(error: Error & { status?: unknown; statusCode?: unknown; code?: unknown; type?: unknown }) {
  const status = error.statusCode ?? error.status
  if (status === 413) return problem(413, 'E_BODY_TOO_LARGE', 'The body is larger than this route accepts.')
  if (status === 415) return problem(415, 'E_MEDIA_TYPE', 'The body must be sent as application/json.')
  if (status === 503) return problem(503, 'E_UNAVAILABLE', 'The service is not available just now.', { cause: error })
  if (error.code === 'FST_ERR_BAD_URL' || error.name === 'URIError')
    return problem(400, 'E_URL_ENCODING', 'The address holds an invalid percent-encoding.')
  if (status === 400 && isSyntaxFault(error)) return problem(400, 'E_BODY_SYNTAX', 'The body is not valid JSON.')
  if (typeof status === 'number' && status >= 400 && status < 500)
    return problem(status, 'E_BAD_REQUEST', 'The request cannot be understood.')
  return undefined
}

function isSyntaxFault(error: Error & { code?: unknown; type?: unknown }): boolean {
  return (
    error instanceof SyntaxError ||
    error.type === 'entity.parse.failed' ||
    error.code === 'FST_ERR_CTP_INVALID_JSON_BODY' ||
    error.code === 'FST_ERR_CTP_EMPTY_JSON_BODY'
  )
}

/** The reply to whatever was thrown; faults of ours are published on `tailwater:http:error`. */
export function faultReply(thrown: unknown, exchange: Exchange): Reply {
  const told = toProblem(thrown)
  if (told.status >= 500 && httpError.hasSubscribers)
    httpError.publish({
      requestId: exchange.context.requestId,
      method: exchange.method,
      path: exchange.path,
      status: told.status,
      code: told.code,
      error: toError(thrown),
    })
  return problemReply(told, exchange)
}
