import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { currentContext } from '@tailwater/core'
import type { Outcome } from '../exchange.ts'
import type { Middleware } from '../middleware.ts'
import { problem } from '../problem.ts'
import { text } from '../reply.ts'
import type { AdapterUnderTest, Exceptions } from './adapter_under_test.ts'
import { ask, begin, clauseOf, gate, responseTo } from './contract_client.ts'

/** What every adapter promises of middleware around handlers that know nothing of us. */
export function middlewareClauses(subject: AdapterUnderTest, except: Exceptions): void {
  const clause = clauseOf(except)
  const around =
    (...list: Middleware[]) =>
    () =>
      subject.serveOwn(list)

  clause('a handler runs in the context of its request', around({ name: 'none' }), async (served, journal) => {
    const answer = await ask(served, '/own/json')
    assert.deepEqual(answer.json(), { own: true, id: answer.headers['x-request-id'] })
    assert.equal((await journal.request('/own/json')).bytes, answer.text.length)
  })

  clause('a parsed body reaches the handler', around({ name: 'none' }), async (served) => {
    assert.deepEqual((await ask(served, '/own/echo', { body: '{"a":[1]}' })).json(), { a: [1] })
  })

  const order: string[] = []
  const noted = (name: string): Middleware => ({
    name,
    before: () => void order.push(`before ${name}`),
    after(_, reply) {
      order.push(`after ${name}`)
      return reply
    },
    finish: () => void order.push(`finish ${name}`),
  })
  clause(
    'hooks run in order before the handler, and in reverse after it',
    around(noted('a'), noted('b')),
    async (served, journal) => {
      await ask(served, '/own/json')
      await journal.request('/own/json')
      assert.deepEqual(order, ['before a', 'before b', 'after b', 'after a', 'finish b', 'finish a'])
    },
  )

  const adding: Middleware = {
    name: 'adding',
    before({ replyHeaders }) {
      replyHeaders['x-added'] = 'yes'
      replyHeaders['set-cookie'] = ['c=3']
    },
  }
  clause('headers of the exchange are added to the reply, cookies beside its own', around(adding), async (served) => {
    const { headers } = await ask(served, '/own/cookies')
    assert.equal(headers['x-added'], 'yes')
    assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2', 'c=3'])
  })

  const replacing: Middleware = {
    name: 'replacing',
    async after(_, reply) {
      await new Promise((resolve) => setImmediate(resolve))
      assert.ok(!(reply.body instanceof Readable), 'the body is whole')
      return text(`${Buffer.from(reply.body ?? '').toString()} replaced`, {
        status: 202,
        headers: { 'x-was': String(reply.status) },
      })
    },
  }
  clause('a whole reply can be replaced', around(replacing), async (served, journal) => {
    const answer = await ask(served, '/own/items/7')
    assert.equal(answer.text, '7 replaced')
    assert.equal(answer.status, 202)
    assert.equal(answer.headers['x-was'], '200')
    assert.equal(answer.headers['content-length'], '10')
    assert.equal((await journal.request('/own/items/7')).bytes, 10)
  })

  const stripping: Middleware = { name: 'stripping', after: (_, reply) => ({ ...reply, headers: {} }) }
  clause('a header that a hook leaves out is not sent', around(stripping), async (served) => {
    assert.equal((await ask(served, '/own/cookies')).headers['set-cookie'], undefined)
  })

  clause('an empty reply stays empty', around({ name: 'same', after: (_, reply) => reply }), async (served) => {
    const answer = await ask(served, '/own/empty')
    assert.equal(answer.status, 204)
    assert.equal(answer.text, '')
  })

  const upper: Middleware = {
    name: 'upper',
    after(_, reply) {
      assert.ok(reply.body instanceof Readable, 'a stream comes as a stream')
      const body = reply.body.map((chunk: Buffer) => chunk.toString().toUpperCase())
      return { ...reply, body }
    },
  }
  clause('a stream can be replaced by another', around(upper), async (served) => {
    assert.equal((await ask(served, '/own/stream')).text, 'ABC')
  })

  clause(
    'a step may answer instead of the handler',
    around({ name: 'closed', before: () => text('closed', { status: 503 }) }),
    async (served) => {
      const answer = await ask(served, '/own/json')
      assert.deepEqual([answer.status, answer.text], [503, 'closed'])
      assert.ok(answer.headers['x-request-id'])
    },
  )

  const throwing: Middleware = {
    name: 'throwing',
    before: async () => {
      await Promise.resolve()
      throw problem(401, 'E_UNAUTHENTICATED', 'Who are you?')
    },
  }
  clause('what a step throws is a problem', around(throwing), async (served) => {
    const answer = await ask(served, '/own/json')
    assert.equal(answer.status, 401)
    assert.equal(answer.json()['code'], 'E_UNAUTHENTICATED')
  })

  clause('what a handler throws tells nothing', around({ name: 'none' }), async (served, journal) => {
    const answer = await ask(served, '/own/fail')
    assert.equal(answer.status, 500)
    assert.equal(answer.json()['code'], 'E_INTERNAL')
    assert.doesNotMatch(answer.text, /secret/)
    assert.equal(journal.errors.find((event) => event.path === '/own/fail')?.error.message, 'secret')
  })

  clause('the pattern of the handler is the label', around({ name: 'none' }), async (served, journal) => {
    await ask(served, '/own/items/7')
    assert.equal((await journal.request('/own/items/7')).route, '/own/items/:id')
  })

  const ended = gate<Outcome>()
  const watching: Middleware = { name: 'watching', finish: (_, outcome) => ended.resolve(outcome) }
  clause(
    'events pass through untouched, and their end is told when the client leaves',
    around(watching),
    async (served) => {
      const sent = begin(served.url, '/own/events', { method: 'GET', headers: {} })
      sent.end()
      const response = await responseTo(sent)
      const [first] = await response.take(1).toArray()
      assert.equal(String(first), 'data: 1\n\n')
      sent.destroy()
      const { aborted, status } = await ended.promise
      assert.deepEqual({ aborted, status }, { aborted: true, status: 200 })
    },
  )

  const contexts: (string | undefined)[] = []
  const looking: Middleware = {
    name: 'looking',
    before: () => void contexts.push(currentContext()?.requestId),
    after(_, reply) {
      contexts.push(currentContext()?.requestId)
      return reply
    },
  }
  clause('hooks run in the context too', around(looking), async (served) => {
    const id = (await ask(served, '/own/json')).headers['x-request-id']
    assert.deepEqual(contexts, [id, id])
  })
}
