import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { createTestVhost, startRabbitMq } from '../../src/testing/rabbitmq/index.ts'

it('suites share one broker, each in a virtual host of its own', async () => {
  const [one, other] = await Promise.all([createTestVhost(), createTestVhost()])
  after(() => Promise.all([one.close(), other.close()]))
  assert.equal(one.managementUrl, other.managementUrl)
  assert.notEqual(one.vhost, other.vhost)
  await one.ask('PUT', 'queues/{vhost}/orders', { durable: true })
  assert.equal(((await one.ask('GET', 'queues/{vhost}')) as unknown[]).length, 1)
  assert.deepEqual(await other.ask('GET', 'queues/{vhost}'), [])
})

it("a test's own broker is killed and comes back on its port", async () => {
  const broker = await startRabbitMq()
  after(() => broker.stop())
  const [node] = broker.nodes
  const { pid, url } = node!
  await node!.kill()
  await node!.restart()
  assert.notEqual(node!.pid, pid)
  assert.equal(node!.url, url)
})
