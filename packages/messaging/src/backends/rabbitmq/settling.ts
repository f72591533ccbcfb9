import type { IdSource } from '@tailwater/core'
import type { DeathReason, Settlement } from '../../backend/consume_port.ts'
import { messagingError } from '../../errors.ts'
import type { AttemptNote } from '../../message.ts'
import type { Acks } from './acks.ts'
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
  { message, wire, extras }: Pick<RabbitDelivery, 'message' | 'wire' | 'extras'>,
  reason: DeathReason,
  note: AttemptNote | undefined,
): Promise<void> {
  const notes = note ? [...extras.notes, note] : extras.notes
  const letter = { id: ways.ids(), reason, diedAt: ways.options.clock.now() }
  await toQueue(ways, ways.dead, wire.content, toProperties(message, { hasLeftItsWay: true, notes, letter }))
}

/** Tells the broker how a delivery of a queue ended. What leaves the queue for another place is confirmed there first. */
export async function settleDelivery(
  ways: Ways,
  queue: string,
  acks: Acks,
  delivery: RabbitDelivery,
  settlement: Settlement,
): Promise<void> {
  const { tag, message, wire } = delivery
  switch (settlement.type) {
    case 'done':
      return acks.ack(tag)
    case 'released':
      return release(ways, queue, acks, delivery)
    case 'dead':
      await bury(ways, delivery, settlement.reason, settlement.note)
      return acks.ack(tag)
    case 'retry': {
      const notes = [...delivery.notes, settlement.note]
      const properties = toProperties(message, { hasLeftItsWay: true, notes, target: queue })
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
  queue: string,
  acks: Acks,
  { tag, message, wire, extras }: Pick<RabbitDelivery, 'tag' | 'message' | 'wire' | 'extras'>,
): Promise<void> {
  const isCounted = ways.options.queueType === 'quorum'
  if (!isCounted || extras.deliveryCount === 0) return acks.giveBack(tag)
  await toQueue(ways, queue, wire.content, toProperties(message, { hasLeftItsWay: true, notes: extras.notes }))
  return acks.ack(tag)
}
