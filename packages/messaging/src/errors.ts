import { type ErrorDetails, TailwaterError } from '@tailwater/core'

/** Codes of the errors this package throws; see docs/errors/messaging.md. */
export type MessagingErrorCode =
  | 'E_OPTIONS'
  | 'E_MESSAGE_BLOCKED'
  | 'E_MESSAGE_BODY'
  | 'E_MESSAGE_BODY_SIZE'
  | 'E_MESSAGE_BREAKER_OPEN'
  | 'E_MESSAGE_CANCELLED'
  | 'E_MESSAGE_EXCHANGE_UNKNOWN'
  | 'E_MESSAGE_LOST'
  | 'E_MESSAGE_NAME'
  | 'E_MESSAGE_NO_RESPONDER'
  | 'E_MESSAGE_NOT_STARTED'
  | 'E_MESSAGE_PATTERN'
  | 'E_MESSAGE_PERMANENT'
  | 'E_MESSAGE_QUEUE_FULL'
  | 'E_MESSAGE_REPLY_LOST'
  | 'E_MESSAGE_RESPONDER'
  | 'E_MESSAGE_TIMEOUT'
  | 'E_MESSAGE_TOPIC'
  | 'E_MESSAGE_TOPOLOGY'
  | 'E_MESSAGE_TRANSACTION'
  | 'E_MESSAGE_UNAVAILABLE'
  | 'E_MESSAGE_UNCONFIRMED'
  | 'E_MESSAGE_UNROUTABLE'
  | 'E_PACKAGE_MISSING'

/** An error of this package. */
export function messagingError(
  code: MessagingErrorCode,
  message: string,
  details?: ErrorDetails,
): TailwaterError<MessagingErrorCode> {
  return new TailwaterError(code, message, details)
}

/**
 * What a handler throws when another attempt cannot help: the message is a dead letter at once. Any error with `retryable: false` is taken so.
 *
 * @example
 * if (!order) throw new PermanentMessageError('there is no such order')
 */
export class PermanentMessageError extends TailwaterError<'E_MESSAGE_PERMANENT'> {
  readonly retryable = false

  constructor(message: string, details?: ErrorDetails) {
    super('E_MESSAGE_PERMANENT', message, details)
  }
}
