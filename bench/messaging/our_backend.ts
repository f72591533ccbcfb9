import { newId, systemClock } from '@tailwater/core'
import { createRabbitMqBackend } from '@tailwater/messaging/rabbitmq'
import { BODY, type OpenBothWays, PREFETCH } from './both_ways.ts'

/** Ours, with all that it promises: ids, headers, mandatory publishing through a topic exchange, and settlements that the broker has answered. */
export const openOurs: OpenBothWays = async (url, queue, onMessage) => {
  const backend = createRabbitMqBackend({ url, maxUnconfirmed: 1_000 })
  await backend.start()
  await backend.topology.declareExchange({ name: 'bench', type: 'topic' })
  await backend.topology.declareSubscription({
    name: queue,
    bindings: [{ exchange: 'bench', pattern: queue }],
    levels: ['normal'],
    ttl: undefined,
    maxLength: undefined,
    maxCrashes: 3,
  })
  await backend.consume.consume(queue, { prefetch: PREFETCH }, (delivery) => {
    void onMessage().then(() => delivery.settle({ type: 'done' }))
  })
  const body = BODY.toString()
  return {
    publish: () =>
      backend.publish.send([
        {
          message: {
            ...{ id: newId(), exchange: 'bench', topic: queue, body, contentType: 'application/json' },
            ...{ headers: {}, level: 'normal', publishedAt: systemClock.now() },
          },
        },
      ]),
    close: () => backend.stop(),
  }
}
