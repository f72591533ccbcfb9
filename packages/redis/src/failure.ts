import { TailwaterError, toError } from '@tailwater/core'
import { type RedisErrorCode, redisError } from './errors.ts'

/** First words of replies that say "not now": the command had no effect, and may be repeated. */
const NOT_NOW = new Set([
  'MOVED',
  'ASK',
  'LOADING',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'READONLY',
  'BUSY',
  'NOREPLICAS',
])
/** First words of replies that refuse who we are. */
const REFUSED = new Set(['NOAUTH', 'WRONGPASS'])

/**
 * Our error for whatever a client has thrown.
 *
 * @param target where the connection leads, without credentials
 */
export function toRedisError(thrown: unknown, target: string): TailwaterError<string> {
  if (thrown instanceof TailwaterError) return thrown
  const error = toError(thrown)
  if (error.name === 'ReplyError') return fromReply(error, target)
  const reason = reasonOf(error)
  if (/timed out|ETIMEDOUT/i.test(error.message) && !/^connect /.test(error.message))
    return redisError('E_REDIS_TIMEOUT', `Redis at ${target} did not answer in time`, {
      target,
      sent: true,
      cause: error,
    })
  // Whether the server may have got the command, and done it, before the connection was lost.
  const sent = /Connection is closed|Socket timeout|ECONNRESET|EPIPE/i.test(error.message)
  return redisError('E_REDIS_UNAVAILABLE', `cannot reach Redis at ${target}: ${reason}`, { target, sent, cause: error })
}

/** The word of the server's reply that names its kind, such as WRONGTYPE or NOSCRIPT; undefined for other errors. */
export function replyWord(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined
  return /^[A-Z]+/.exec(error.message)?.[0]
}

function fromReply(error: Error, target: string): TailwaterError<RedisErrorCode> {
  const reply = replyWord(error)
  const details = { target, reply, sent: true, cause: error }
  if (REFUSED.has(reply ?? '') || /invalid (username-)?password|AUTH.*called without/i.test(error.message))
    return redisError('E_REDIS_AUTH', `Redis at ${target} refused the credentials: ${error.message}`, details)
  if (NOT_NOW.has(reply ?? ''))
    return redisError('E_REDIS_UNAVAILABLE', `Redis at ${target} cannot serve just now: ${error.message}`, details)
  return redisError('E_REDIS_COMMAND', `Redis at ${target} refused a command: ${error.message}`, details)
}

function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.errors.length > 0) return toError(error.errors[0]).message
  // A cluster client keeps the real reason one level down.
  const { lastNodeError } = error as { lastNodeError?: unknown }
  return lastNodeError ? toError(lastNodeError).message : error.message.replace(/\.$/, '')
}
