import assert from 'node:assert/strict'
import { it } from 'node:test'
import { toExtras, toMessage, toProperties, type Wire } from '../../src/backends/rabbitmq/envelope.ts'
import { LevelBuffer } from '../../src/backends/rabbitmq/level_buffer.ts'
import { levelOf, Names } from '../../src/backends/rabbitmq/names.ts'
import { resolveRabbitMqOptions } from '../../src/backends/rabbitmq/options.ts'
import { levels, type Message } from '../../src/message.ts'

const message: Message = {
  ...{ id: 'm-1', exchange: 'orders', topic: 'order.placed', body: '1', contentType: 'application/json', headers: {} },
  ...{ level: 'normal', publishedAt: 1_900_000_000_000 },
}

const wire = (properties: object): Wire => ({
  fields: { exchange: '', routingKey: 'billing', redelivered: false },
  properties: properties as Wire['properties'],
  content: Buffer.from('1'),
})

it('notes that would not fit into a frame lose stacks first, then the oldest attempts', () => {
  const notes = Array.from({ length: 60 }, (_, index) => ({
    ...{ attempt: index + 1, at: index, error: 'e'.repeat(600), code: 'E', stack: 's'.repeat(9_000) },
  }))
  const read = toExtras(wire(toProperties(message, { hasLeftItsWay: true, notes }))).notes
  assert.ok(Buffer.byteLength(JSON.stringify(read)) <= 24_000)
  assert.equal(read.at(-1)!.attempt, 60)
  assert.equal(read.at(-1)!.stack!.length, 4_000)
  assert.equal(read.at(-2)!.stack, undefined)
})

it('notes leave room for the largest headers, whatever an error says of itself', () => {
  const headers = { h: '\u20ac'.repeat(10_000) }
  const note = { attempt: 1, at: 1, error: '\0'.repeat(90_000), code: 'c'.repeat(90_000), stack: '\0'.repeat(90_000) }
  const wired = toProperties({ ...message, headers }, { hasLeftItsWay: true, notes: [note, note] })
  const { 'tw-notes': notes, h } = wired.headers as Record<string, string>
  assert.equal(h, headers.h)
  assert.ok(Buffer.byteLength(notes!) + Buffer.byteLength(h!) < 60_000)
  assert.equal(toExtras(wire(wired)).notes.length, 1)
  const foreign = { small: 'x', large: 'x'.repeat(59_990) }
  const full = wire(toProperties({ ...message, headers: foreign }, { hasLeftItsWay: true, notes: [note] }))
  assert.equal(toExtras(full).notes.length, 1)
  assert.deepEqual(Object.keys(toMessage(full, { names: new Names(''), ids: () => 'new' }).headers), ['small'])
})

it('notes of somebody else are none', () => {
  for (const said of ['[null]', '[{"attempt":"1"}]', '{}', 'x'])
    assert.deepEqual(toExtras(wire({ headers: { 'tw-notes': said } })).notes, [])
})

it('a message that has left its way is read as it was', () => {
  const reader = { names: new Names('app.'), ids: () => 'new' }
  const { headers, ...properties } = toProperties(message, { hasLeftItsWay: true })
  const arrived = { ...properties, headers: { ...headers, 'tw-at': message.publishedAt } }
  assert.deepEqual(toMessage(wire(arrived), reader), message)
  assert.equal(toMessage(wire({}), reader).id, 'new')
})

it("users' headers cannot pass for ours, nor are the broker's the user's", () => {
  const properties = toProperties({ ...message, headers: { 'tw-target': 'elsewhere', tenant: 'x' } })
  assert.deepEqual(Object.keys(properties.headers ?? {}), ['tenant', 'tw-at'])
  const reader = { names: new Names(''), ids: () => 'new' }
  const headers = { 'x-death': [], 'x-delivery-count': 2, tenant: 'x' }
  assert.deepEqual(toMessage(wire({ headers }), reader).headers, { tenant: 'x' })
})

it('a level joins the nearest lower one that is kept apart, or the lowest', () => {
  assert.equal(levelOf('critical', ['high', 'low']), 'high')
  assert.equal(levelOf('normal', ['high', 'low']), 'low')
  assert.equal(levelOf('low', ['critical', 'high']), 'high')
  const names = new Names('app.')
  assert.equal(names.queue('billing', 'normal', levels), 'app.billing')
  assert.equal(names.queue('billing', 'high', levels), 'app.billing.high')
  assert.equal(names.queue('billing', 'high', ['critical', 'high']), 'app.billing')
})

it('turns are dealt by weight and spread', () => {
  const buffer = new LevelBuffer<string>(levels)
  for (const level of levels) for (let at = 0; at < 30; at++) buffer.push(level, level)
  const turns = Array.from({ length: 15 }, () => buffer.shift()!)
  assert.deepEqual(
    levels.map((level) => turns.filter((turn) => turn === level).length),
    [8, 4, 2, 1],
  )
  assert.equal(buffer.size, 105)
})

it('addresses are read, and what they hide is not repeated', () => {
  const { addresses, credentials } = resolveRabbitMqOptions({ url: 'amqps://me:p%40ss@broker/my%2Fhost' })
  assert.deepEqual(addresses, [{ protocol: 'amqps', hostname: 'broker', port: 5671, vhost: 'my/host' }])
  assert.deepEqual(credentials, { username: 'me', password: 'p@ss' })
  assert.throws(
    () => resolveRabbitMqOptions({ url: 'http://me:secret@broker' }),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'E_OPTIONS')
      assert.doesNotMatch(error.message, /secret/)
      return true
    },
  )
  assert.throws(() => resolveRabbitMqOptions({}), { code: 'E_OPTIONS' })
  assert.throws(() => resolveRabbitMqOptions({ url: 'amqp://x', queuetype: 'classic' } as never), {
    message: /did you mean 'queueType'/,
  })
})
