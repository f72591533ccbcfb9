import { type Clock, toError } from '@tailwater/core'
import type { SqlExecutor } from '@tailwater/postgres'
import type { Outgoing, PublishOutcome, PublishPort } from '../backend/publish_port.ts'
import { messagingError } from '../errors.ts'
import { publishAll } from './publishing_events.ts'
import type { Relay } from './relay.ts'

/** How messages of one call go out. */
export interface Sending {
  readonly mandatory: boolean
  readonly tx: SqlExecutor | undefined
  readonly signal: AbortSignal | undefined
}

/** Sends messages to the backend, or into a transaction, and tells what became of them. */
export interface Sender {
  /** @throws E_MESSAGE_UNROUTABLE, E_MESSAGE_TRANSACTION, and what the backend throws */
  send(outgoing: readonly Outgoing[], sending: Sending): Promise<void>
}

/** @param ready resolves when what a message may be for is declared */
export function createSender(parts: {
  port: PublishPort
  relay: Relay | undefined
  clock: Clock
  ready: (exchange: string) => Promise<void>
}): Sender {
  const { port, relay, clock, ready } = parts
  return {
    async send(outgoing, { mandatory, tx, signal }) {
      signal?.throwIfAborted()
      if (tx) {
        if (!relay) throw noOutbox()
        await relay.append(tx, outgoing)
        return
      }
      if (outgoing.length === 0) return
      await ready(outgoing[0]!.message.exchange)
      const sentAt = clock.elapsed()
      let outcomes: PublishOutcome[]
      try {
        outcomes = await abortable(port.send(outgoing), signal)
      } catch (thrown) {
        publishAll(outgoing, clock.elapsed() - sentAt, undefined, toError(thrown))
        throw thrown
      }
      publishAll(outgoing, clock.elapsed() - sentAt, outcomes, undefined)
      if (mandatory && outcomes.includes('unroutable')) throw unroutable(outgoing, outcomes)
    },
  }
}

/** Waits no longer than until the signal; what was sent is on its way all the same. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function unroutable(outgoing: readonly Outgoing[], outcomes: readonly PublishOutcome[]): Error {
  const lost = outgoing.filter((_, index) => outcomes[index] === 'unroutable').map(({ message }) => message)
  const { exchange, topic } = lost[0]!
  const others = lost.length > 1 ? ` (and ${lost.length - 1} others)` : ''
  return messagingError(
    'E_MESSAGE_UNROUTABLE',
    `nobody is bound to '${topic}' of exchange '${exchange}'${others}: subscribe first, or publish with { mandatory: false }`,
    { exchange, topic, ids: lost.map(({ id }) => id) },
  )
}

function noOutbox(): Error {
  return messagingError(
    'E_MESSAGE_TRANSACTION',
    'a message can only be part of a transaction with an outbox: give createMessaging a database or an outbox',
  )
}
