import assert from 'node:assert/strict'
import { systemClock } from '@tailwater/core'
import type { DeadLetter } from '../../backend/dead_letter_port.ts'
import { type Clause, retry, type Subject } from './subject.ts'

/** All letters, page by page. */
async function all(subject: Subject, subscription: string, limit = 100): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = []
  let cursor: string | undefined
  do {
    const page = await subject.backend.deadLetters.list(subscription, { limit, ...(cursor && { cursor }) })
    assert.ok(page.letters.length <= limit)
    letters.push(...page.letters)
    cursor = page.cursor
  } while (cursor)
  return letters
}

const topicsOf = (letters: readonly DeadLetter[]) => letters.map(({ message }) => message.topic).sort()

/** What was given up. */
export function deadLetterClauses(clause: Clause): void {
  clause('a dead letter tells what it was, why it died and what was tried', async (subject) => {
    const { exchange, subscription } = await subject.line()
    const from = systemClock.now()
    const sent = subject.message(exchange, 'order.placed', { body: '{"n":1}', headers: { tenant: 'x' } })
    await subject.backend.publish.send([{ message: sent }])
    const inbox = await subject.consume(subscription)
    await retry(await inbox.next(), 1, 'one')
    const note = { attempt: 2, at: from, error: 'two', code: 'ETWO', stack: 'at two' }
    await (await inbox.next()).settle({ type: 'dead', reason: 'permanent', note })
    const [letter] = await all(subject, subscription)
    assert.deepEqual({ ...letter!.message }, sent)
    assert.equal(letter!.subscription, subscription)
    assert.equal(letter!.reason, 'permanent')
    assert.equal(letter!.notes.length, 2)
    assert.deepEqual({ ...letter!.notes[1] }, note)
    assert.ok(letter!.diedAt === undefined || letter!.diedAt >= from - 1_000)
    assert.deepEqual(await subject.backend.deadLetters.get(subscription, letter!.id), letter)
    assert.equal(await subject.backend.deadLetters.get(subscription, subject.message('', '').id), undefined)
  })

  clause('a letter may die without a note', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    const delivery = await (await subject.consume(subscription)).next()
    await delivery.settle({ type: 'dead', reason: 'foreign', note: undefined })
    const [letter] = await all(subject, subscription)
    assert.deepEqual([letter!.reason, letter!.notes], ['foreign', []])
  })

  clause('letters are listed page by page, and stay', async (subject) => {
    const topics = Array.from({ length: 7 }, (_, index) => `n.${index}`)
    const { subscription } = await subject.dead(...topics)
    for (let time = 0; time < 2; time++) assert.deepEqual(topicsOf(await all(subject, subscription, 3)), topics)
    assert.equal(await subject.backend.deadLetters.count(subscription), 7)
  })

  clause('one letter is put back as if it had never been tried', async (subject) => {
    const { subscription, inbox } = await subject.dead('a', 'b', 'c')
    const letter = (await all(subject, subscription)).find(({ message }) => message.topic === 'b')!
    assert.equal(await subject.backend.deadLetters.redrive(subscription, [letter.id]), 1)
    const delivery = await inbox.next()
    assert.equal(delivery.message.topic, 'b')
    assert.equal(delivery.message.id, letter.message.id)
    assert.deepEqual(delivery.notes, [])
    assert.equal(await subject.backend.deadLetters.redrive(subscription, [letter.id]), 0)
    assert.deepEqual(topicsOf(await all(subject, subscription)), ['a', 'c'])
  })

  clause('some letters are put back, and all that are left', async (subject) => {
    const { subscription, inbox } = await subject.dead('a', 'b', 'c', 'd')
    const some = (await all(subject, subscription)).filter(({ message }) => 'ac'.includes(message.topic))
    const ids = some.map(({ id }) => id)
    assert.equal(await subject.backend.deadLetters.redrive(subscription, ids), 2)
    assert.deepEqual((await inbox.finish(2)).sort(), ['a', 'c'])
    assert.equal(await subject.backend.deadLetters.redrive(subscription, undefined), 2)
    assert.deepEqual((await inbox.finish(2)).sort(), ['b', 'd'])
    assert.equal(await subject.backend.deadLetters.count(subscription), 0)
  })

  clause('a letter is put back edited', async (subject) => {
    const { subscription, inbox } = await subject.dead('a')
    const [letter] = await all(subject, subscription)
    const edit = { body: '{"mended":true}', headers: { by: 'hand' } }
    assert.equal(await subject.backend.deadLetters.redrive(subscription, [letter!.id], edit), 1)
    const { message } = await inbox.next()
    assert.equal(message.body, edit.body)
    assert.deepEqual(message.headers, edit.headers)
    assert.equal(message.topic, 'a')
    assert.equal(message.id, letter!.message.id)
  })

  clause('a letter is put back to its own subscription alone', async (subject) => {
    const exchange = await subject.exchange()
    const [one, two] = [await subject.subscription(exchange, ['#']), await subject.subscription(exchange, ['#'])]
    await subject.publish(exchange, 'a')
    const others = await subject.consume(two)
    await others.finish(1)
    const mine = await subject.consume(one)
    await (await mine.next()).settle({ type: 'dead', reason: 'permanent', note: undefined })
    await subject.backend.deadLetters.redrive(one, undefined)
    assert.deepEqual(await mine.finish(1), ['a'])
    await subject.publish(exchange, 'b')
    assert.deepEqual(await others.finish(1), ['b'])
  })

  clause('some letters are deleted, and all that are left', async (subject) => {
    const { subscription } = await subject.dead('a', 'b', 'c', 'd')
    const some = (await all(subject, subscription)).filter(({ message }) => 'ac'.includes(message.topic))
    const ids = some.map(({ id }) => id)
    assert.equal(await subject.backend.deadLetters.purge(subscription, ids), 2)
    assert.equal(await subject.backend.deadLetters.purge(subscription, ids), 0)
    assert.deepEqual(topicsOf(await all(subject, subscription)), ['b', 'd'])
    assert.equal(await subject.backend.deadLetters.purge(subscription), 2)
    assert.deepEqual(await all(subject, subscription), [])
  })
}
