import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { newId, sleep, systemClock } from '@tailwater/core'
import { createMessaging, type Messaging } from '@tailwater/messaging'
import { createRabbitMqBackend } from '@tailwater/messaging/rabbitmq'
import {
  startRabbitMq,
  startTcpProxy,
  type TcpProxy,
  type TestRabbitMqNode,
} from '@tailwater/messaging/testing/rabbitmq'
import { record, seeds } from './journal.ts'
import { MessageConsumers } from './message_consumers.ts'
import { MessagePublisher } from './message_publisher.ts'
import { randomIntegers } from './random.ts'

const MUST_HOLD =
  'Every confirmed message handled at least once; topology and consumers back within 10 s of the broker’s port accepting; requests in flight fail with a clear error.'
const isWhole = process.env['TAILWATER_TEST_ALL_SEEDS'] !== undefined
const COUNT = isWhole ? 20_000 : 2_000
/** Messages a second. */
const RATE = isWhole ? 1_000 : 400
/** Milliseconds within which messages are handled again after the port accepts. */
const BACK_WITHIN = 10_000
/** How a request may end while its broker dies: answered, or told why not. */
const CLEAR_ENDS = [
  'answered',
  'E_MESSAGE_BLOCKED',
  'E_MESSAGE_NOT_STARTED',
  'E_MESSAGE_TIMEOUT',
  'E_MESSAGE_UNCONFIRMED',
]

type Fault = 'node killed' | 'connections cut' | 'consumer killed'

for (const nodes of isWhole ? ([1, 3] as const) : ([1] as const))
  for (const seed of seeds([20261126, 11, 42]))
    it(`RabbitMQ on ${nodes} node${nodes > 1 ? 's' : ''} loses no confirmed message, whatever is killed or cut (seed ${seed})`, async () => {
      const ground = await lay(nodes)
      const { consumers, publisher } = ground
      const asking = askUntilOver(ground.messaging)
      const back: number[] = []
      let cuts = 0
      const faults = plan(seed, nodes)
      const publishing = publisher.publish(COUNT, RATE)
      for (const [at, { fault, node }] of faults.entries()) {
        await until(() => publisher.confirmed.size >= (COUNT * (at + 1)) / (faults.length + 2))
        if (fault === 'consumer killed') await consumers.killOne()
        else if (fault === 'connections cut') {
          cuts++
          for (const proxy of ground.proxies) proxy.cut()
        } else back.push(await killAndRestart(ground.nodes[node]!, ground))
      }
      await publishing
      await until(() => missing(publisher, consumers).length === 0, 120_000).catch(() => {})
      const ends = await asking.stop()
      const handled = consumers.handled()
      const lost = missing(publisher, consumers).length
      record({
        fault: `RabbitMQ killed, cut, and its consumers killed, on ${nodes} node${nodes > 1 ? 's' : ''}`,
        seed,
        mustHold: MUST_HOLD,
        figures: {
          ...{
            confirmed: publisher.confirmed.size,
            lost,
            nodesKilled: back.length,
            cuts,
            consumersKilled: consumers.kills,
          },
          ...{ handledTwice: handled.length - new Set(handled).size, slowestBackMs: Math.round(Math.max(...back)) },
          requests: Object.entries(ends)
            .map(([end, times]) => `${times} ${end}`)
            .join(', '),
        },
      })
      assert.equal(publisher.confirmed.size, COUNT + back.length)
      assert.equal(lost, 0)
      assert.ok(Math.max(...back) <= BACK_WITHIN, `back after ${back.map(Math.round)} ms`)
      assert.deepEqual(
        Object.keys(ends).filter((end) => !CLEAR_ENDS.includes(end)),
        [],
      )
      assert.ok((ends['answered'] ?? 0) > 0)
    })

/** Every kind of fault at least twice, in an order of the seed's; of three nodes each is killed, and so is every leader. */
function plan(seed: number, nodes: number): { fault: Fault; node: number }[] {
  const random = randomIntegers(seed)
  const faults: { fault: Fault; node: number }[] = [
    ...Array.from({ length: Math.max(2, nodes) }, (_, index) => ({
      fault: 'node killed' as const,
      node: index % nodes,
    })),
    ...(['connections cut', 'connections cut', 'consumer killed', 'consumer killed'] as const).map((fault) => ({
      fault,
      node: 0,
    })),
  ]
  for (let at = faults.length - 1; at > 0; at--) {
    const other = random(0, at)
    ;[faults[at], faults[other]] = [faults[other]!, faults[at]!]
  }
  return faults
}

async function lay(count: 1 | 3) {
  const broker = await startRabbitMq({ nodes: count })
  after(() => broker.stop())
  const proxies = await Promise.all(broker.nodes.map(({ port }) => startTcpProxy(port)))
  after(() => Promise.all(proxies.map((proxy: TcpProxy) => proxy.close())))
  const urls = proxies.map(({ port }) => `amqp://guest:guest@127.0.0.1:${port}`)
  const backend = createRabbitMqBackend({ urls, confirmTimeout: '5s' })
  await backend.start()
  after(() => backend.stop(systemClock.elapsed()))
  await backend.topology.declareExchange({ name: 'orders', type: 'topic' })
  await backend.topology.declareSubscription({
    ...{ name: 'billing', bindings: [{ exchange: 'orders', pattern: 'order.*' }], levels: ['normal'] },
    // Of what a crash takes back nobody is to blame here: none is poison.
    ...{ ttl: undefined, maxLength: undefined, maxCrashes: 1_000 },
  })
  const consumers = new MessageConsumers({ rabbitmq: urls }, 'billing')
  after(() => consumers.stop())
  await Promise.all([consumers.start(), consumers.start()])
  const messaging = createMessaging({ backend: createRabbitMqBackend({ urls, confirmTimeout: '5s' }) })
  after(() => messaging.stop(systemClock.elapsed()))
  messaging.respond('echo', ({ body }) => body)
  await messaging.start()
  return { nodes: broker.nodes, proxies, consumers, publisher: new MessagePublisher(backend, 'orders'), messaging }
}

/** Milliseconds from when the node's port accepts until a message that is published then is handled. */
async function killAndRestart(
  node: TestRabbitMqNode,
  { publisher, consumers }: { publisher: MessagePublisher; consumers: MessageConsumers },
): Promise<number> {
  await node.kill()
  await node.restart()
  const accepts = systemClock.elapsed()
  const id = newId()
  await publisher.publishOne(id)
  await until(() => consumers.handled().includes(id))
  return systemClock.elapsed() - accepts
}

function missing({ confirmed }: MessagePublisher, consumers: MessageConsumers): string[] {
  const handled = new Set(consumers.handled())
  return [...confirmed].filter((id) => !handled.has(id))
}

/** Asks one request after another, and counts how they end. */
function askUntilOver(messaging: Messaging) {
  const ends: Record<string, number> = {}
  let isOver = false
  const asking = (async () => {
    while (!isOver) {
      const end = await messaging.request('echo', 1, { timeout: '3s' }).then(
        () => 'answered',
        (error: { code?: string }) => error.code ?? 'without a code',
      )
      ends[end] = (ends[end] ?? 0) + 1
      if (end !== 'answered') await sleep(systemClock, 20)
    }
  })()
  return {
    async stop() {
      isOver = true
      await asking
      return ends
    },
  }
}

/** Looks until something holds. */
async function until(holds: () => boolean, patience = 180_000): Promise<void> {
  const deadline = systemClock.elapsed() + patience
  while (!holds()) {
    if (systemClock.elapsed() > deadline) throw new Error(`it did not come about in ${patience} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
