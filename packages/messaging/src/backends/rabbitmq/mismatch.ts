import { type ErrorDetails, type TailwaterError, toError } from '@tailwater/core'
import { messagingError } from '../../errors.ts'
import { replyCode } from './amqp.ts'

/** How the broker tells that something is there otherwise than it is wanted. */
const INEQUIVALENT =
  /inequivalent arg '([^']+)' for (queue|exchange) '([^']*)' in vhost '[^']*': received (?:the value )?('[^']*'|none)(?: of type '[^']*')? but current is (?:the value )?('[^']*'|none)/

const REMEDY: Readonly<Record<string, string>> = {
  'x-queue-type': 'delete it when it is empty, or say so with `queueType`',
  'x-message-ttl': 'the broker cannot change it: keep the ttl, or delete the queue when it is empty',
  'x-max-length': 'the broker cannot change it: keep maxLength, or delete the queue when it is empty',
  'x-delivery-limit': 'the broker cannot change it: keep maxCrashes, or delete the queue when it is empty',
}

const unquote = (text: string) => text.replace(/^'|'$/g, '')

/** An error of a declaration, in words: `queue x exists as classic; …`. Others are given back as they are. */
export function explainDeclaration(thrown: unknown): Error {
  const error = toError(thrown)
  const code = replyCode(error)
  if (code === 406) return explainPrecondition(error)
  if (code === 405)
    return topologyError('a queue of this name belongs to another connection alone (it is exclusive)', { cause: error })
  if (code === 403) return topologyError(`this user may not do that: ${error.message}`, { cause: error })
  if (code === 404 && /no exchange/.test(error.message)) {
    const exchange = /no exchange '([^']*)'/.exec(error.message)?.[1]
    return messagingError('E_MESSAGE_EXCHANGE_UNKNOWN', `there is no exchange '${exchange}'`, {
      exchange,
      cause: error,
    })
  }
  if (code === 404) {
    const queue = /no queue '([^']*)'/.exec(error.message)?.[1]
    return topologyError(`there is no queue '${queue}'`, { queue, cause: error })
  }
  return error
}

function explainPrecondition(error: Error): Error {
  const [, argument, kind, name, wanted, current] = INEQUIVALENT.exec(error.message) ?? []
  if (!argument) return topologyError(error.message, { cause: error })
  const details = { kind, name, argument, wanted: unquote(wanted!), current: unquote(current!), cause: error }
  if (argument === 'type' || argument === 'x-queue-type') {
    const remedy = REMEDY[argument] ?? 'delete it, or declare it as what it is'
    const is = details.current === 'none' ? 'classic' : details.current
    return topologyError(`${kind} '${name}' exists as ${is}; it is declared as ${details.wanted}: ${remedy}`, details)
  }
  const remedy = REMEDY[argument] ?? 'delete it when it is empty, or declare it as it is'
  return topologyError(
    `${kind} '${name}' exists with ${argument} ${details.current}; it is declared with ${details.wanted}: ${remedy}`,
    details,
  )
}

function topologyError(message: string, details: ErrorDetails): TailwaterError {
  return messagingError('E_MESSAGE_TOPOLOGY', message, details)
}
