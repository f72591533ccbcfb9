import { createService, hasCode } from '@tailwater/core'
import type { Delivery } from '../../backend/consume_port.ts'
import type { Outgoing, PublishOutcome, PublishPort } from '../../backend/publish_port.ts'
import type { MessagingBackend } from '../../backend.ts'
import { messagingError } from '../../errors.ts'
import { Broadcasts } from './broadcasts.ts'
import { RabbitConsumer } from './consumer.ts'
import { DeadLetters } from './dead_letters.ts'
import { contentOf, NONE, toProperties } from './envelope.ts'
import { Fullness } from './fullness.ts'
import { Inspect } from './inspect.ts'
import { Ladder } from './ladder.ts'
import { Link } from './link.ts'
import { Mover } from './mover.ts'
import { Names } from './names.ts'
import { type RabbitMqOptions, type ResolvedRabbitMqOptions, resolveRabbitMqOptions } from './options.ts'
import { Publisher } from './publisher.ts'
import { Register } from './register.ts'
import { Replies } from './replies.ts'
import { Scratch } from './scratch.ts'
import { Topology } from './topology.ts'

/** The parts of a backend, made and not started. */
function assemble(options: ResolvedRabbitMqOptions) {
  const names = new Names(options.prefix)
  const reader = { names, ids: options.ids }
  // Two connections: a broker that is short of memory stops reading from those who publish, and acknowledgements must still get through.
  const publishing = new Link(options, 'publish')
  const consuming = new Link(options, 'consume')
  const up = () => consuming.up()
  const scratch = new Scratch(consuming)
  const moveAll = (from: string, to: string): Promise<void> => deadLetters.moveAll(from, to)
  const consumers = new Set<RabbitConsumer>()
  const broadcasts = new Broadcasts(reader)
  // In this order on each new connection: what is declared, then what stands on it.
  publishing.onConnect((connection) => topology.restore(connection))
  const publisher = new Publisher(options, publishing, (entry) => fullness.isFull(entry))
  const register = new Register(options, { link: consuming, names, publisher })
  const topology = new Topology(options, { names, scratch, register, moveAll })
  const fullness = new Fullness({ register, topology, scratch, now: () => options.clock.elapsed() })
  const ladder = new Ladder(options, { names, scratch, publisher })
  const mover = new Mover(options, { names, publisher, ladder })
  const replies = new Replies(options, { names, publisher, scratch, link: publishing })
  const deadLetters = new DeadLetters({ options, reader, publisher, scratch, topology, up })
  publishing.onConnect(
    (connection) => replies.restore(connection),
    () => replies.lost(),
  )
  consuming.onConnect((connection) => topology.restore(connection))
  consuming.onConnect((connection) => replies.restoreCancels(connection))
  consuming.onConnect((connection) => broadcasts.restore(connection))
  consuming.onConnect(
    (connection) => mover.restore(connection),
    () => mover.lost(),
  )
  consuming.onConnect(async (connection) => {
    for (const consumer of consumers) await consumer.restore(connection)
  })
  const inspect = new Inspect({
    ...{ options, register, topology, scratch, deadLetters, publisher },
    links: [publishing, consuming],
  })
  return {
    ...{ options, names, reader, publishing, consuming, up, scratch, topology, consumers, broadcasts },
    ...{ publisher, ladder, mover, replies, deadLetters, inspect },
  }
}

type Parts = ReturnType<typeof assemble>

function publishPort({ options, names, publisher, ladder, mover, topology, up }: Parts): PublishPort {
  const sendLater = async ({ message }: Outgoing, after: number): Promise<PublishOutcome> => {
    await mover.start(up)
    await ladder.send(contentOf(message), toProperties(message, { hasLeftItsWay: true }), after)
    return 'confirmed'
  }
  const sendOne = (outgoing: Outgoing): Promise<PublishOutcome> => {
    const { message, deliverAt } = outgoing
    const after = deliverAt === undefined ? 0 : deliverAt - options.clock.now()
    if (after > 0) return sendLater(outgoing, after)
    return publisher.publish(
      names.exchange(message.exchange),
      message.topic,
      contentOf(message),
      toProperties(message, NONE),
    )
  }
  const sendAll = async (messages: readonly Outgoing[]): Promise<PublishOutcome[]> => {
    for (const { message } of messages)
      if (!topology.knows(message.exchange)) await topology.requireExchange(message.exchange)
    // All are under way before any is awaited, and each has its end before the first failure is told.
    const outcomes = await Promise.allSettled(messages.map(sendOne))
    return outcomes.map((outcome, index) => {
      if (outcome.status === 'fulfilled') return outcome.value
      if (hasCode(outcome.reason, 'E_MESSAGE_EXCHANGE_UNKNOWN')) topology.forget(messages[index]!.message.exchange)
      throw outcome.reason
    })
  }
  return {
    send(messages) {
      const [only] = messages
      // One message is the common case, and most of its time was spent on being treated as many.
      if (!only || messages.length > 1 || !topology.knows(only.message.exchange)) return sendAll(messages)
      return sendOne(only).then(
        (outcome) => [outcome],
        (error: unknown) => {
          if (hasCode(error, 'E_MESSAGE_EXCHANGE_UNKNOWN')) topology.forget(only.message.exchange)
          throw error
        },
      )
    },
  }
}

async function openConsumer(
  parts: Parts,
  subscription: string,
  prefetch: number,
  onDelivery: (delivery: Delivery) => void,
) {
  const { options, topology, publisher, ladder, mover, reader, consumers, up } = parts
  const spec = await topology.require(subscription)
  const { queues, dead } = topology.layout(spec)
  await mover.start(up)
  const consumer = new RabbitConsumer(
    {
      subscription,
      queues,
      maxCrashes: spec.maxCrashes,
      ways: { publisher, ladder, options, ids: options.ids, dead },
      reader,
      onDelivery,
      up,
      ended: (one) => consumers.delete(one),
    },
    prefetch,
  )
  consumers.add(consumer)
  try {
    await consumer.open(await up())
  } catch (error) {
    await consumer.stop(0).catch(() => {})
    consumers.delete(consumer)
    throw error
  }
  return consumer
}

/**
 * Messages over RabbitMQ, by AMQP 0-9-1. Exchanges and queues are the broker's own, so other programs publish and consume beside this one.
 *
 * @throws E_OPTIONS
 * @example
 * const backend = createRabbitMqBackend({ url: 'amqp://guest:guest@127.0.0.1:5672' })
 * await backend.start()
 */
export function createRabbitMqBackend(given: RabbitMqOptions): MessagingBackend {
  const parts = assemble(resolveRabbitMqOptions(given))
  const { publishing, consuming, publisher, consumers, broadcasts, mover, up } = parts
  let isStarted = false
  const service = createService('rabbitmq', {
    async start() {
      const outcomes = await Promise.allSettled([publishing.start(), consuming.start()])
      const failed = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failed) {
        await Promise.all([publishing.stop(), consuming.stop()])
        throw failed.reason
      }
      isStarted = true
    },
    async stop(deadline) {
      isStarted = false
      await Promise.allSettled([...consumers].map((consumer) => consumer.stop(deadline)))
      consumers.clear()
      broadcasts.clear()
      mover.stop()
      await publisher.stop(deadline)
      await Promise.all([publishing.stop(), consuming.stop()])
    },
  })
  const notStarted = () => messagingError('E_MESSAGE_NOT_STARTED', 'the RabbitMQ backend is not started', {})
  const publish = publishPort(parts)
  return {
    name: 'rabbitmq',
    start: () => service.start(),
    stop: (deadline) => service.stop(deadline),
    topology: parts.topology,
    publish: {
      send(messages) {
        return isStarted ? publish.send(messages) : Promise.reject(notStarted())
      },
    },
    consume: {
      async consume(subscription, { prefetch }, onDelivery) {
        if (!isStarted) throw notStarted()
        return openConsumer(parts, subscription, prefetch, onDelivery)
      },
      async listen(bindings, onMessage) {
        if (!isStarted) throw notStarted()
        return broadcasts.listen(await up(), bindings, onMessage)
      },
    },
    replies: parts.replies,
    deadLetters: parts.deadLetters,
    inspect: parts.inspect,
  }
}
