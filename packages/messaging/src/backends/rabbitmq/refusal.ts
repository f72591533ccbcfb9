import { messagingError } from '../../errors.ts'
import { replyCode } from './amqp.ts'
import type { Entry } from './entry.ts'

/** Which of the messages in flight made the broker close the channel, each with the error of its publisher. */
export function refusedEntry(reason: Error, entries: readonly Entry[]): [Entry, Error][] {
  const code = replyCode(reason)
  const exchange = /exchange '([^']*)'/.exec(reason.message)?.[1]
  const ofExchange = entries.filter((entry) => entry.exchange === exchange)
  if (code === 404)
    return ofExchange.map((entry) => [
      entry,
      messagingError('E_MESSAGE_EXCHANGE_UNKNOWN', `there is no exchange '${exchange}'`, { exchange, cause: reason }),
    ])
  if (code === 403)
    return ofExchange.map((entry) => [
      entry,
      messagingError('E_MESSAGE_TOPOLOGY', `this user may not write to the exchange '${exchange}'`, {
        exchange,
        cause: reason,
      }),
    ])
  // Larger than the broker's max_message_size: it does not say which, so the largest.
  const largest = entries.toSorted((a, b) => b.content.length - a.content.length)[0]
  if (code === 406 && largest && /larger than/.test(reason.message))
    return [
      [largest, messagingError('E_MESSAGE_BODY_SIZE', `the broker refuses it: ${reason.message}`, { cause: reason })],
    ]
  return []
}
