import assert from 'node:assert/strict'
import type { Reply } from '../../backend/reply_port.ts'
import type { MessagingBackend } from '../../backend.ts'
import type { Clause, Subject } from './subject.ts'

const reply = (said: Partial<Reply>): Reply => ({
  correlationId: 'c',
  sequence: 0,
  isLast: true,
  body: '1',
  contentType: 'application/json',
  ...said,
})

/** Replies to a backend, and a promise of so many. */
function mailbox(backend: MessagingBackend) {
  const came: Reply[] = []
  let tell: () => void = () => {}
  backend.replies.onReply((one) => {
    came.push(one)
    tell()
  })
  return async (count: number) => {
    while (came.length < count)
      await new Promise<void>((resolve) => {
        tell = resolve
      })
    return came
  }
}

/** A request that one process sends and another holds; the address to reply to is what arrived with it. */
async function ask(subject: Subject) {
  const { exchange, subscription } = await subject.line()
  const responder = await subject.open()
  const { address } = subject.backend.replies
  await subject.send(exchange, 'ask', { replyTo: address, correlationId: 'c' })
  const delivery = await (await subject.consume(subscription, 1, responder)).next()
  assert.ok(delivery.message.replyTo)
  return { responder, delivery, address: delivery.message.replyTo }
}

/** The way back. */
export function replyClauses(clause: Clause): void {
  clause('a reply reaches who asked, and nobody else', async (subject) => {
    const { responder, address } = await ask(subject)
    const [mine, theirs] = [mailbox(subject.backend), mailbox(responder)]
    assert.equal(await responder.replies.send(address, reply({ body: '{"price":7}' })), true)
    const [came] = await mine(1)
    assert.deepEqual({ ...came, error: undefined }, { ...reply({ body: '{"price":7}' }), error: undefined })
    await responder.replies.send(responder.replies.address, reply({ correlationId: 'own' }))
    assert.deepEqual(
      (await theirs(1)).map(({ correlationId }) => correlationId),
      ['own'],
    )
  })

  clause('several replies come in their order', async (subject) => {
    const { responder, address } = await ask(subject)
    const mine = mailbox(subject.backend)
    const sequences = Array.from({ length: 20 }, (_, sequence) => sequence)
    for (const sequence of sequences)
      void responder.replies.send(address, reply({ sequence, isLast: sequence === 19, body: String(sequence) }))
    const came = await mine(20)
    assert.deepEqual(
      came.map(({ sequence }) => sequence),
      sequences,
    )
    assert.equal(came[19]!.isLast, true)
  })

  clause('an error comes back as it was told', async (subject) => {
    const { responder, address } = await ask(subject)
    const mine = mailbox(subject.backend)
    const error = { code: 'ESTOCK', message: 'none left', details: { sku: 'x' } }
    await responder.replies.send(address, reply({ body: undefined, error }))
    const [came] = await mine(1)
    assert.equal(came!.body, undefined)
    assert.deepEqual({ ...came!.error }, error)
  })

  clause('a reply to somebody who is no more harms nobody', async (subject) => {
    const { responder, address } = await ask(subject)
    await subject.backend.stop()
    const told = await responder.replies.send(address, reply({}))
    assert.equal(typeof told, 'boolean')
    await responder.replies.send(responder.replies.address, reply({}))
    await subject.backend.start()
  })

  clause('a cancelled request is told to the responders', async (subject) => {
    const responder = await subject.open()
    const cancelled = new Promise<string>((resolve) => responder.replies.onCancel(resolve))
    await subject.backend.replies.cancel('c-7')
    assert.equal(await cancelled, 'c-7')
  })

  clause('who is not started has no address', async (subject) => {
    await subject.backend.stop()
    assert.throws(() => subject.backend.replies.address, { code: 'E_MESSAGE_NOT_STARTED' })
    await subject.backend.start()
    assert.equal(typeof subject.backend.replies.address, 'string')
  })
}
