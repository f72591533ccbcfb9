import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { Subject } from '../../src/testing/contract/subject.ts'
import { rabbitMqGround } from './ground.ts'

const ground = await rabbitMqGround()
const subject = new Subject(ground, await ground.open())
after(async () => {
  await subject.close()
  await ground.close()
})

it('a message that kills its consumers does not take along what was held beside it', async () => {
  const { exchange, subscription } = await subject.line({ maxCrashes: 1 })
  await subject.publish(exchange, 'poison', 'a', 'b', 'c')
  const first = await subject.open()
  await (await subject.consume(subscription, 10, first)).take(4)
  await subject.crash(first)
  const second = await subject.open()
  const inbox = await subject.consume(subscription, 10, second)
  assert.equal((await inbox.next()).message.topic, 'poison')
  assert.equal(inbox.count, 0, 'it runs alone')
  await subject.crash(second)
  const third = await subject.consume(subscription, 10)
  const came: string[] = []
  while (came.length < 3) came.push(...(await third.finish(1)))
  assert.deepEqual(came.sort(), ['a', 'b', 'c'])
  const { letters } = await subject.backend.deadLetters.list(subscription, { limit: 10 })
  assert.deepEqual(
    letters.map(({ reason, message }) => [reason, message.topic]),
    [['poison', 'poison']],
  )
})

it('what may be poison and is not lets the others go on', async () => {
  const { exchange, subscription } = await subject.line({ maxCrashes: 1 })
  await subject.publish(exchange, 'a', 'b', 'c')
  const first = await subject.open()
  await (await subject.consume(subscription, 10, first)).take(3)
  await subject.crash(first)
  const inbox = await subject.consume(subscription, 10)
  await subject.publish(exchange, 'd')
  const came: string[] = []
  while (came.length < 4) came.push(...(await inbox.finish(1)))
  assert.deepEqual(came.sort(), ['a', 'b', 'c', 'd'])
})
