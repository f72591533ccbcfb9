import { notice } from '@tailwater/core'
import type { Outbox, OutboxMessage, SqlExecutor } from '@tailwater/postgres'
import type { Outgoing, PublishPort } from '../backend/publish_port.ts'
import { decodeMessage, encodeMessage } from '../backends/jobs/message_job.ts'
import { publishAll } from './publishing_events.ts'

/** Topic of the outbox, and name of its consumer. */
const TOPIC = 'messaging:publish'
const CONSUMER = 'messaging'

/** In the outbox. */
interface Wire {
  message: string
  deliverAt?: number | undefined
  requestId?: string | undefined
  traceparent?: string | undefined
}

/** Brings messages out of transactions. */
export interface Relay {
  /** Stores messages in a transaction; they go out after its commit, in order, at least once, with their ids. */
  append(tx: SqlExecutor, outgoing: readonly Outgoing[]): Promise<void>
  /** Begins to follow the outbox. */
  follow(): Promise<void>
}

/**
 * A message in a transaction is a row of the outbox; its relay, one for all processes, publishes it. A failure of the store holds the line until it is over. What
 * nobody is bound to is told of, and passed by: its publisher has long gone.
 */
export function createRelay(outbox: Outbox, port: PublishPort): Relay {
  async function publish(rows: readonly OutboxMessage[]): Promise<void> {
    const outgoing = rows.map(({ payload }) => read(payload as Wire))
    const outcomes = await port.send(outgoing)
    publishAll(outgoing, 0, outcomes, undefined)
    const lost = outcomes.filter((outcome) => outcome === 'unroutable').length
    if (lost > 0 && notice.hasSubscribers)
      notice.publish({
        source: 'messaging',
        level: 'warn',
        message: `${lost} messages of committed transactions are unroutable: nobody is bound to their topics`,
        fields: { topics: [...new Set(outgoing.map(({ message }) => message.topic))].slice(0, 10) },
      })
  }

  return {
    async append(tx, outgoing) {
      const messages = outgoing.map(({ message, deliverAt }) => {
        const { requestId, traceparent } = message
        const payload: Wire = { message: encodeMessage(message), deliverAt, requestId, traceparent }
        return { topic: TOPIC, payload }
      })
      await outbox.appendAll(tx, messages)
    },
    follow: () => outbox.consumer(CONSUMER, publish, { topics: [TOPIC] }),
  }
}

function read({ message, deliverAt, requestId, traceparent }: Wire): Outgoing {
  return { message: decodeMessage({ payload: message, requestId, traceparent }), deliverAt }
}
