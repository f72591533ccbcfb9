import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createMemoryBus, listen, messageDead, messageHandled } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createJobs, createMemoryBackend } from '@tailwater/jobs'
import { createJobsMessaging, createMemoryRouting, createMessaging } from '@tailwater/messaging'
import { changesTold, openAdmin } from './admin_fixture.ts'

interface LetterBody {
  id: string
  topic: string
  body: unknown
  headers: Record<string, string>
  reason: string
  notes: { attempt: number; error: string; stack: string | null }[]
}

interface LettersBody {
  data: LetterBody[]
  page: { next: string | null; limit: number }
}

/** Messaging with a subscription that takes only what is marked as good. */
async function openMessaging(t: TestContext) {
  const messaging = createMessaging({ redact: ['email'] })
  const orders = messaging.exchange('orders')
  const good: unknown[] = []
  orders.subscribe(
    'billing',
    'order.*',
    ({ body }) => {
      if (!(body as { good?: boolean }).good) throw new Error('not good')
      good.push(body)
    },
    { attempts: 1 },
  )
  await messaging.start()
  const admin = await openAdmin(t, { messaging })
  t.after(() => messaging.stop())

  function happened(channel: typeof messageDead | typeof messageHandled, count: number): Promise<void> {
    return new Promise((resolve) => {
      let left = count
      const end = listen(channel as typeof messageDead, () => {
        if (--left > 0) return
        end()
        resolve()
      })
    })
  }

  async function die(...topics: string[]): Promise<void> {
    const dead = happened(messageDead, topics.length)
    for (const topic of topics)
      await orders.publish(topic, { email: 'ann@example.com', n: 1 }, { headers: { 'api-key': 'hidden' } })
    await dead
  }
  const letters = async () => (await admin.look<LettersBody>('GET', '/subscriptions/billing/dead-letters')).body.data
  return { ...admin, messaging, die, good, happened, letters }
}

test('exchanges and subscriptions are shown with what waits', async (t) => {
  const { look, die } = await openMessaging(t)
  await die('order.placed')
  const exchanges = await look<{ data: { name: string; type: string }[] }>('GET', '/exchanges')
  assert.ok(exchanges.body.data.some(({ name, type }) => name === 'orders' && type === 'topic'))
  const { body } = await look<{ data: { name: string; dead: number; here: { concurrency: number } }[] }>(
    'GET',
    '/subscriptions',
  )
  assert.deepEqual(
    body.data.map(({ name, dead, here }) => [name, dead, here.concurrency]),
    [['billing', 1, 10]],
  )
  assert.equal((await look('GET', '/subscriptions/billing')).status, 200)
  assert.equal((await look('GET', '/subscriptions/nobody')).body['code'], 'E_SUBSCRIPTION_UNKNOWN')
})

test('queues of levels and of those who answer requests are shown among the others', async (t) => {
  const clock = new FakeClock()
  const store = createMemoryBackend({ clock })
  const bus = createMemoryBus({ clock })
  const messaging = createMessaging({
    backend: createJobsMessaging({ store, routing: createMemoryRouting(), bus, clock }),
    clock,
  })
  const idle = { concurrency: 0, levels: ['high', 'normal'] } as const
  messaging.exchange('orders').subscribe('billing', '#', () => {}, idle)
  messaging.respond('Price/Now', () => 1)
  await messaging.start()
  t.after(() => messaging.stop())
  await messaging.exchange('orders').publish('order.placed', 1, { level: 'high' })
  const jobs = createJobs({ backend: store, clock, queues: { default: { concurrency: 0 } } })
  await jobs.start()
  t.after(() => jobs.stop())
  const { look } = await openAdmin(t, { jobs, messaging })
  const { status, body } = await look<{ counts: { available: number } }>('GET', '/queues/messages-billing.high')
  assert.deepEqual([status, body.counts.available], [200, 1])
  assert.equal((await look('GET', '/queues/messages-billing.high/jobs')).status, 200)
  assert.equal((await look('GET', `/subscriptions/${encodeURIComponent('respond.Price/Now')}`)).status, 200)
  assert.equal((await look('GET', '/queues/nothing.here')).status, 404)
  assert.equal((await look('GET', '/queues/no%20name')).status, 400)
})

test('dead letters are listed and looked at, without what is to be hidden', async (t) => {
  const { look, die, letters } = await openMessaging(t)
  await die('order.placed', 'order.paid')
  const [first] = await letters()
  assert.deepEqual(first!.body, { email: '[redacted]', n: 1 })
  assert.deepEqual(first!.headers, { 'api-key': '[redacted]' })
  assert.deepEqual([first!.reason, first!.notes[0]?.error], ['attempts', 'not good'])
  const { body } = await look<LetterBody>('GET', `/subscriptions/billing/dead-letters/${first!.id}`)
  assert.deepEqual(body, first)
  const page = await look<LettersBody>('GET', '/subscriptions/billing/dead-letters?limit=1')
  assert.equal(page.body.data.length, 1)
  const next = await look<LettersBody>(
    'GET',
    `/subscriptions/billing/dead-letters?limit=1&cursor=${encodeURIComponent(page.body.page.next!)}`,
  )
  assert.notEqual(next.body.data[0]!.id, page.body.data[0]!.id)
  assert.equal((await look('GET', '/subscriptions/billing/dead-letters/nowhere')).body['code'], 'E_LETTER_NOT_FOUND')
})

test('an administrator puts letters back, edits one, and deletes the rest; a viewer does not', async (t) => {
  const { call, look, strange, die, good, happened, letters } = await openMessaging(t)
  const told = changesTold(t)
  await die('order.placed', 'order.paid', 'order.returned')
  const path = '/subscriptions/billing/dead-letters'
  assert.equal((await look('POST', `${path}/redrive`, {})).status, 403)
  assert.equal((await strange('GET', path)).status, 401)
  const [first, second] = await letters()
  const done = happened(messageHandled, 1)
  const edited = await call('POST', `${path}/${first!.id}/redrive`, { body: { good: true } })
  assert.equal(edited.status, 204)
  await done
  assert.deepEqual(good, [{ good: true }])
  const again = happened(messageDead, 1)
  assert.deepEqual((await call('POST', `${path}/redrive`, { ids: [second!.id] })).body, { count: 1 })
  await again
  const hidden = await call('POST', `${path}/${second!.id}/redrive`, { body: { email: '[redacted]' } })
  assert.equal(hidden.status, 400)
  assert.deepEqual((await call('POST', `${path}/purge`, {})).body, { count: 2 })
  assert.deepEqual(await letters(), [])
  assert.deepEqual(
    told.map(({ action, fields }) => [action, fields['count'] ?? fields['isEdited']]),
    [
      ['deadLetterRedrive', true],
      ['deadLettersRedrive', 1],
      ['deadLettersPurge', 2],
    ],
  )
})
