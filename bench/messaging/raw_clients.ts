import { BODY, type OpenBothWays, PREFETCH } from './both_ways.ts'

/*
 * The raw clients, each as its documentation says for speed: one connection for publishing and one for consuming, as ours has.
 * They are installed with the benchmarks only.
 */

interface AmqpChannel {
  assertQueue(queue: string, options: object): Promise<unknown>
  prefetch(count: number): Promise<unknown>
  consume(queue: string, listener: (message: object) => void): Promise<unknown>
  ack(message: object): void
  sendToQueue(queue: string, content: Buffer, options: object, done: (error: Error | null) => void): boolean
}

interface AmqpConnection {
  createChannel(): Promise<AmqpChannel>
  createConfirmChannel(): Promise<AmqpChannel>
  close(): Promise<void>
}

const quorum = { durable: true, arguments: { 'x-queue-type': 'quorum' } }

async function load<T>(name: string): Promise<T> {
  return (await import(name)) as T
}

/** amqplib: confirmations by callback. */
export const openAmqplib: OpenBothWays = async (url, queue, onMessage) => {
  const { connect } = await load<{ connect(url: string, options: object): Promise<AmqpConnection> }>('amqplib')
  const [publishing, consuming] = [await connect(url, { noDelay: true }), await connect(url, { noDelay: true })]
  const channel = await consuming.createChannel()
  await channel.assertQueue(queue, quorum)
  await channel.prefetch(PREFETCH)
  await channel.consume(queue, (message) => void onMessage().then(() => channel.ack(message)))
  const confirming = await publishing.createConfirmChannel()
  const options = { persistent: true, contentType: 'application/json' }
  return {
    publish: () =>
      new Promise<void>((resolve, reject) => {
        confirming.sendToQueue(queue, BODY, options, (error) => (error ? reject(error) : resolve()))
      }),
    close: async () => {
      await consuming.close()
      await publishing.close()
    },
  }
}

interface RabbitConnection {
  queueDeclare(options: object): Promise<unknown>
  createConsumer(options: object, run: () => Promise<void>): { close(): Promise<void> }
  createPublisher(options: object): { send(envelope: object, body: Buffer): Promise<void>; close(): Promise<void> }
  close(): Promise<void>
}

/** rabbitmq-client: its own publisher and consumer. */
export const openRabbitmqClient: OpenBothWays = async (url, queue, onMessage) => {
  const { Connection } = await load<{ Connection: new (url: string) => RabbitConnection }>('rabbitmq-client')
  const [publishing, consuming] = [new Connection(url), new Connection(url)]
  await consuming.queueDeclare({ queue, ...quorum })
  const consumer = consuming.createConsumer(
    { queue, queueOptions: { passive: true }, qos: { prefetchCount: PREFETCH } },
    onMessage,
  )
  const publisher = publishing.createPublisher({ confirm: true })
  const envelope = { routingKey: queue, durable: true, contentType: 'application/json' }
  return {
    publish: () => publisher.send(envelope, BODY),
    close: async () => {
      await consumer.close()
      await publisher.close()
      await consuming.close()
      await publishing.close()
    },
  }
}

interface CloudChannel {
  confirmSelect(): Promise<void>
  basicQos(count: number): Promise<void>
  queueDeclare(name: string, options: object, args: object): Promise<unknown>
  basicConsume(queue: string, options: object, run: (message: { ack(): Promise<void> }) => void): Promise<unknown>
  basicPublish(exchange: string, key: string, body: Uint8Array, properties: object): Promise<number>
}

interface CloudConnection {
  channel(): Promise<CloudChannel>
  close(): Promise<void>
}

/** @cloudamqp/amqp-client: `basicPublish` of a confirming channel resolves with the confirmation. */
export const openCloudAmqp: OpenBothWays = async (url, queue, onMessage) => {
  const { AMQPClient } = await load<{ AMQPClient: new (url: string) => { connect(): Promise<CloudConnection> } }>(
    '@cloudamqp/amqp-client',
  )
  const [publishing, consuming] = [await new AMQPClient(url).connect(), await new AMQPClient(url).connect()]
  const channel = await consuming.channel()
  await channel.queueDeclare(queue, { durable: true }, { 'x-queue-type': 'quorum' })
  await channel.basicQos(PREFETCH)
  await channel.basicConsume(queue, { noAck: false }, (message) => void onMessage().then(() => message.ack()))
  const confirming = await publishing.channel()
  await confirming.confirmSelect()
  const properties = { deliveryMode: 2, contentType: 'application/json' }
  return {
    publish: () => confirming.basicPublish('', queue, BODY, properties),
    close: async () => {
      await consuming.close()
      await publishing.close()
    },
  }
}
