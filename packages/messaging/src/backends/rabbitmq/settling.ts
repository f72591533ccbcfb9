import type { IdSource } from '@tailwater/core'
import type { DeathReason, Settlement } from '../../backend/consume_port.ts'
import { messagingError } from '../../errors.ts'
import type { AttemptNote } from '../../message.ts'
import type { RabbitDelivery } from './delivery.ts'
import { toProperties } from './envelope.ts'
import type { Ladder } from './ladder.ts'
import type { ResolvedRabbitMqOptions } from './options.ts'
import type { Publisher } from './publisher.ts'

/** Where deliveries of one queue go when they end. */
export interface Ways {
  readonly publisher: Publisher
  readonly ladder: Ladder
  readonly options: ResolvedRabbitMqOptions
  readonly ids: IdSource
  readonly dead: string
}

/** Publishes straight into a queue. @throws E_MESSAGE_TOPOLOGY when there is none */
async function toQueue(
  { publisher }: Pick<Ways, 'publisher'>,
  queue: string,
  content: Buffer,
  properties: Parameters<Publisher['publish']>[3],
): Promise<void> {
  const outcome = await publisher.publish('', queue, content, { ...properties, mandatory: true, persistent: true })
  if (outcome !== 'confirmed') throw messagingError('E_MESSAGE_TOPOLOGY', `the queue '${queue}' is gone`, { queue })
}

/** Into the dead letters, confirmed. */
export async function bury(
  ways: Ways,
  { message, arrived, extras }: Pick<RabbitDelivery, 'message' | 'arrived' | 'extras'>,
  reason: DeathReason,
  note: AttemptNote | undefined,
): Promise<void> {
  const notes = note ? [...extras.notes, note] : extras.notes
  const letter = { id: ways.ids(), reason, diedAt: ways.options.clock.now() }
  await toQueue(ways, ways.dead, arrived.wire.content, toProperties(message, { hasLeftItsWay: true, notes, letter }))
}

/** Tells the broker how a delivery ended. What leaves the queue for another place is confirmed there first. */
export async function settleDelivery(ways: Ways, delivery: RabbitDelivery, settlement: Settlement): Promise<void> {
  const { message, arrived } = delivery
  const { queue, tag, acks, wire } = arrived
  switch (settlement.type) {
    case 'done':
      return acks.ack(tag)
    case 'released':
      return release(ways, delivery)
    case 'dead':
      await bury(ways, delivery, settlement.reason, settlement.note)
      return acks.ack(tag)
    case 'retry': {
      const notes = [...delivery.notes, settlement.note]
      const properties = toProperties(message, { hasLeftItsWay: true, notes, target: queue.name })
      await ways.ladder.send(wire.content, properties, settlement.after)
      return acks.ack(tag)
    }
  }
}

/**
 * Gives a message back. The broker counts that as a delivery gone wrong, and a message that was given back often would die of it; so only the first
 * time is said by AMQP's own word, which keeps its place, and from then on it is put to the end of the queue with its count begun anew.
 */
export async function release(
  ways: Ways,
  { message, arrived, extras }: Pick<RabbitDelivery, 'message' | 'arrived' | 'extras'>,
): Promise<void> {
  const { acks, tag, queue, wire } = arrived
  const isCounted = ways.options.queueType === 'quorum'
  if (!isCounted || extras.deliveryCount === 0) return acks.giveBack(tag)
  await toQueue(ways, queue.name, wire.content, toProperties(message, { hasLeftItsWay: true, notes: extras.notes }))
  return acks.ack(tag)
}
