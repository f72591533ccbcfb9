import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { invoiceKey } from '../../src/orders/invoice.ts'
import { openTwoShops, type TwoShops } from '../caches/two_shops.ts'
import { endedJob, endedJobs } from '../testing/ended_job.ts'
import {
  addCategory,
  addCustomer,
  addMerchant,
  addProduct,
  type MerchantApp,
  startMerchantApp,
  type TestMerchant,
} from '../testing/merchant_app.ts'
import { type SmtpPeer, startSmtpPeer } from '../testing/smtp_peer.ts'

describe('what follows an order', () => {
  let app: MerchantApp
  let merchant: TestMerchant
  let productId: number

  before(async () => {
    app = await startMerchantApp()
    merchant = await addMerchant(app, 'northern')
    const categoryId = await addCategory(app, 'candles')
    productId = await addProduct(app, {
      merchantId: merchant.id,
      categoryId,
      sku: 'HEART',
      title: '<Heart> & co',
      price: 2.5,
    })
  })
  after(() => app.close())

  async function placeOrder(email: string): Promise<{ id: number; merchantId: number }> {
    const customerId = await addCustomer(app, merchant.id, email)
    const placed = await app.ask('POST', '/api/orders', {
      token: merchant.token,
      headers: { 'idempotency-key': randomUUID() },
      body: { customerId, lines: [{ productId, quantity: 2 }], payment: { token: 'tok_visa' } },
    })
    assert.equal(placed.status, 201)
    return placed.body
  }
  /** Once they are in their store, which over the outbox is after the commit; together, as they were enqueued. */
  const jobsOf = async (orderId: number) => {
    for (;;) {
      const { jobs } = await app.jobs.inspect.list({ tag: `merchant:${merchant.id}` })
      const own = jobs.filter(({ payload }) => JSON.stringify(payload).includes(String(orderId)))
      if (own.some(({ kind }) => kind === 'order-fulfilment')) return own
    }
  }

  it('is stored with the order as one flow that waits for its parts, and every part is followed by the merchant alone', async () => {
    const order = await placeOrder('ada@example.com')
    const all = await jobsOf(order.id)
    const kinds = all.map(({ kind, state }) => `${kind} ${state}`).sort()
    assert.deepEqual(kinds, [
      'audit-entry available',
      'notify available',
      'order-confirmation available',
      'order-fulfilment pending',
      'order-invoice available',
    ])
    const root = all.find(({ kind }) => kind === 'order-fulfilment')!
    assert.ok(all.every(({ id, parentId }) => id === root.id || parentId === root.id))
    const seen = await app.ask('GET', `/api/jobs/${root.id}`, { token: merchant.token })
    assert.deepEqual([seen.status, seen.body.state, seen.body.result], [200, 'pending', null])
  })

  it('writes invoice, mail, inbox and audit, and then has the order packed', async () => {
    await app.jobs.start()
    const order = await placeOrder('grace@example.com')
    const root = (await jobsOf(order.id)).find(({ kind }) => kind === 'order-fulfilment')!
    const done = await endedJob(app.jobs, root.id)
    assert.deepEqual([done.state, done.result], ['completed', { requested: true, missing: [] }])

    const mail = app.mails.find(({ to }) => to === 'grace@example.com')!
    assert.match(mail.text, /2 x <Heart> & co: 5\.00 GBP/)
    assert.match(mail.html ?? '', /2 × &lt;Heart&gt; &amp; co/)
    const invoice = await text(await app.files.read(invoiceKey(order)))
    assert.match(invoice, /&lt;Heart&gt; &amp; co[\s\S]*5\.00 GBP/)

    const [entry] = await app.rows('SELECT actor, action, subject FROM $schema.audit_entries WHERE subject = $1', [
      `order:${order.id}`,
    ])
    assert.deepEqual(entry, { actor: 'checkout', action: 'order.placed', subject: `order:${order.id}` })
    await endedJobs(app.jobs, 'notify')
    const inbox = await app.ask('GET', '/api/notifications', { token: merchant.token })
    const ours = inbox.body.data.filter(({ link }: { link: string }) => link === `/orders/${order.id}`)
    assert.deepEqual(
      ours.map(({ topic }: { topic: string }) => topic),
      ['order-ready', 'order-placed'],
    )
  })

  it('shows the invoice to its merchant, and to nobody else', async () => {
    const order = await placeOrder('emmy@example.com')
    const root = (await jobsOf(order.id)).find(({ kind }) => kind === 'order-fulfilment')!
    await endedJob(app.jobs, root.id)
    const shown = await app.app.inject({
      method: 'GET',
      url: `/api/orders/${order.id}/invoice`,
      headers: { authorization: `Bearer ${merchant.token}` },
    })
    assert.equal(shown.statusCode, 200)
    assert.equal(shown.headers['content-type'], 'text/html; charset=utf-8')
    assert.match(shown.body, new RegExp(`Invoice ${order.id}`))
    const other = await addMerchant(app, `southern-${order.id}`)
    assert.equal((await app.ask('GET', `/api/orders/${order.id}/invoice`, { token: other.token })).status, 404)
    assert.equal((await app.ask('GET', `/api/jobs/${root.id}`, { token: other.token })).status, 404)
  })

  it('an order that was cancelled meanwhile is confirmed and not packed', async () => {
    await app.jobs.stop()
    const order = await placeOrder('cancelled@example.com')
    const root = (await jobsOf(order.id)).find(({ kind }) => kind === 'order-fulfilment')!
    assert.equal((await app.ask('POST', `/api/orders/${order.id}/cancel`, { token: merchant.token })).status, 200)
    await app.jobs.start()
    assert.deepEqual((await endedJob(app.jobs, root.id)).result, { requested: false, why: 'cancelled' })
    assert.deepEqual(await app.rows('SELECT FROM $schema.fulfilments WHERE order_id = $1', [order.id]), [])
  })

  it('what is cancelled or taken back is audited with who did it, once', async () => {
    const [first, second] = [await placeOrder('first@example.com'), await placeOrder('second@example.com')]
    for (let time = 0; time < 2; time++)
      await app.ask('POST', `/api/orders/${first.id}/cancel`, { token: merchant.token })
    await app.ask('POST', `/api/orders/${second.id}/return`, { token: merchant.token })
    const audited = () =>
      app.rows<{ actor: string; action: string }>(
        `SELECT actor, action FROM $schema.audit_entries WHERE subject = ANY ($1) AND action <> 'order.placed' ORDER BY action`,
        [[`order:${first.id}`, `order:${second.id}`]],
      )
    while ((await audited()).length < 2) await endedJobs(app.jobs, 'audit-entry')
    const entries = await audited()
    assert.deepEqual(
      entries.map(({ actor, action }) => [actor.split(':')[0], action]),
      [
        ['key', 'order.cancelled'],
        ['key', 'order.returned'],
      ],
    )
  })

  it('every part bears running twice', async () => {
    const order = await placeOrder('twice@example.com')
    const all = await jobsOf(order.id)
    const root = all.find(({ kind }) => kind === 'order-fulfilment')!
    await endedJob(app.jobs, root.id)
    for (const { kind, payload } of all.filter(({ kind }) => kind !== 'audit-entry')) {
      const { id } = await app.jobs.enqueue({ kind, payload })
      assert.equal((await endedJob(app.jobs, id)).state, 'completed', kind)
    }
    const inbox = await app.rows('SELECT FROM $schema.notifications WHERE link = $1', [`/orders/${order.id}`])
    assert.equal(inbox.length, 2)
    const twice = app.mails.filter(({ to }) => to === 'twice@example.com').map(({ messageId }) => messageId)
    assert.deepEqual(twice, Array(2).fill(`order-${order.id}@merchant.tailwater`))
  })
})

describe('on a whole platform with a mail server', () => {
  let shops: TwoShops
  let smtp: SmtpPeer
  let merchantId: number
  let productId: number

  before(async () => {
    smtp = await startSmtpPeer()
    shops = await openTwoShops({ mail: { smtpUrl: smtp.url, from: 'shop@example.com' } })
    const { database } = shops.here.platform
    const app = { database, schema: shops.schema } as MerchantApp
    merchantId = (await addMerchant(app, 'western')).id
    const categoryId = await addCategory(app, 'lamps')
    productId = await addProduct(app, { merchantId, categoryId, sku: 'LAMP', title: 'A lamp', price: 7 })
  })
  after(async () => {
    await shops.close()
    await smtp.close()
  })

  async function placeOrder(email: string): Promise<number> {
    const customer = { name: 'Ada', country: 'Malta', email }
    const made = await shops.here.send('POST', `/customers?merchant=${merchantId}`, customer)
    const order = { customerId: made.body.id, lines: [{ productId, quantity: 1 }], payment: { token: 'tok_visa' } }
    const headers = { 'idempotency-key': randomUUID() }
    const placed = await shops.here.send('POST', `/orders?merchant=${merchantId}`, order, headers)
    assert.equal(placed.status, 201)
    return placed.body.id
  }

  it('the mail of an order arrives as text and as a page', async () => {
    const id = await placeOrder('ada@example.com')
    const { source } = await smtp.mailTo('ada@example.com')
    assert.match(source, new RegExp(`Subject: Your order ${id} at Western`))
    assert.match(source, /multipart\/alternative[\s\S]*text\/plain[\s\S]*7\.00 GBP[\s\S]*text\/html[\s\S]*<table/)
  })

  it('a mailbox that is not there keeps no order from being packed, and the merchant is told', async () => {
    smtp.refused.add('nobody@example.com')
    const { jobs, settings } = shops.here.platform
    // The waits of three attempts are not what is tested.
    for (const name of ['attempts', 'backoff'])
      await settings.set(`jobs.email.${name}`, name === 'attempts' ? 2 : 'fixed 1ms', { who: 'ada' })
    const id = await placeOrder('nobody@example.com')
    const isOf = ({ payload }: { payload: unknown }) => (payload as { orderId: number }).orderId === id
    const roots = await jobs.inspect.list({ kind: 'order-fulfilment' })
    const done = await endedJob(jobs, roots.jobs.find(isOf)!.id)
    assert.deepEqual(done.result, { requested: true, missing: ['order-confirmation'] })
    const mails = await jobs.inspect.list({ kind: 'order-confirmation', states: ['dead'] })
    assert.deepEqual(
      mails.jobs.map(({ attempt, maxAttempts }) => [attempt, maxAttempts]),
      [[2, 2]],
    )
    await endedJobs(jobs, 'notify', 4)
    const inbox = await shops.there.send('GET', `/notifications?merchant=${merchantId}&topic=order-ready`)
    assert.match(inbox.body.data[0].text, /Not done: order-confirmation/)
  })

  it('what a setting says of a queue holds in the other process as well', async () => {
    const { here, there } = shops
    await here.platform.settings.set('jobs.notifications.attempts', 9, { who: 'ada', reason: 'a flaky afternoon' })
    const attempts = async () => {
      const { jobs } = there.platform
      const { id } = await jobs.enqueue({
        kind: 'notify',
        payload: { merchantId, topic: 'order-ready', key: randomUUID(), title: 'x', text: 'y' },
      })
      return (await jobs.inspect.get(id))?.maxAttempts
    }
    while ((await attempts()) !== 9) await new Promise((resolve) => setImmediate(resolve))
  })
})
