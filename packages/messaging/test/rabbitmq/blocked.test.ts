import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { newId, systemClock } from '@tailwater/core'
import { createRabbitMqBackend } from '../../src/backends/rabbitmq/index.ts'
import type { Message } from '../../src/message.ts'
import { startRabbitMq } from '../../src/testing/rabbitmq/index.ts'

const message = (): Message => ({
  ...{ id: newId(), exchange: 'amq.fanout', topic: 'a', body: '1', contentType: 'application/json', headers: {} },
  ...{ level: 'normal', publishedAt: systemClock.now() },
})

const codeOf = (outcome: PromiseSettledResult<unknown>) =>
  outcome.status === 'fulfilled' ? 'fulfilled' : (outcome.reason as { code: string }).code

it('a broker that takes nothing fails publishers within their time, and no more than may wait for it do', async () => {
  // Less memory than it needs to be: it blocks publishers from the first moment.
  const broker = await startRabbitMq({ settings: ['vm_memory_high_watermark.absolute = 1MB'] })
  after(() => broker.stop())
  const [node] = broker.nodes
  const backend = createRabbitMqBackend({ url: node!.url, confirmTimeout: '1s', maxWaiting: 10 })
  await backend.start()
  after(() => backend.stop(0))
  const first = await Promise.allSettled([backend.publish.send([{ message: message() }])])
  assert.deepEqual(first.map(codeOf), ['E_MESSAGE_BLOCKED'])
  const { isUp, isBlocked, detail } = await backend.inspect.health()
  assert.deepEqual([isUp, isBlocked], [true, true])
  assert.match(detail, /takes nothing/)
  const ends: number[] = []
  const outcomes = Array.from({ length: 30 }, async (_, index) => {
    await backend.publish.send([{ message: message() }]).finally(() => ends.push(index))
  })
  assert.deepEqual(new Set((await Promise.allSettled(outcomes)).map(codeOf)), new Set(['E_MESSAGE_BLOCKED']))
  assert.deepEqual(
    ends.slice(0, 20).sort((a, b) => a - b),
    [...outcomes.keys()].slice(10),
    'who is one too many fails at once',
  )
  await backend.stop(0)
  const small = createRabbitMqBackend({ url: node!.url, confirmTimeout: '1s', maxWaitingBytes: '1kb' })
  await small.start()
  after(() => small.stop(0))
  const body = 'x'.repeat(1_024)
  const [kept, refused] = [
    small.publish.send([{ message: { ...message(), body } }]),
    small.publish.send([{ message: message() }]),
  ]
  assert.equal(await Promise.race([kept.catch(() => 'kept'), refused.catch(() => 'refused')]), 'refused')
  assert.deepEqual((await Promise.allSettled([kept, refused])).map(codeOf), ['E_MESSAGE_BLOCKED', 'E_MESSAGE_BLOCKED'])
})

it('a broker that is killed and does not come back fails publishers, and starting', async () => {
  const broker = await startRabbitMq()
  after(() => broker.stop())
  const [node] = broker.nodes
  const backend = createRabbitMqBackend({ url: node!.url, confirmTimeout: '1s' })
  await backend.start()
  after(() => backend.stop(0))
  assert.deepEqual(await backend.publish.send([{ message: message() }]), ['unroutable'])
  await node!.kill()
  const [outcome] = await Promise.allSettled([backend.publish.send([{ message: message() }])])
  assert.match(codeOf(outcome!), /^E_MESSAGE_(BLOCKED|UNCONFIRMED)$/)
  assert.equal((await backend.inspect.health()).isUp, false)
  await assert.rejects(createRabbitMqBackend({ url: node!.url }).start(), { code: 'E_MESSAGE_UNAVAILABLE' })
  const lazy = createRabbitMqBackend({ url: node!.url, lazy: true })
  await lazy.start()
  await node!.restart()
  const isUp = async () => (await lazy.inspect.health()).isUp && (await backend.inspect.health()).isUp
  while (!(await isUp())) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await lazy.publish.send([{ message: message() }]), ['unroutable'])
  await lazy.stop()
})
