import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Topic } from '../../src/notifications/notification.ts'
import { endedJob, endedJobs } from '../testing/ended_job.ts'
import {
  ADMIN_TOKEN,
  addMerchant,
  type MerchantApp,
  startMerchantApp,
  type TestMerchant,
} from '../testing/merchant_app.ts'

describe('notifications', () => {
  let app: MerchantApp
  let merchant: TestMerchant
  let count = 0

  before(async () => {
    app = await startMerchantApp()
    await app.jobs.start()
  })
  after(() => app.close())
  beforeEach(async () => {
    merchant = await addMerchant(app, `merchant-${++count}`)
  })

  async function notify(topic: Topic, key = `key-${++count}`) {
    const payload = { merchantId: merchant.id, topic, key, title: `Title of ${key}`, text: 'Text.', link: '/orders/7' }
    const { id } = await app.jobs.enqueue({ kind: 'notify', payload })
    return (await endedJob(app.jobs, id)).result as { notified: boolean; notificationId: number; by: string[] }
  }
  const own = (body?: unknown) => ({ token: merchant.token, ...(body !== undefined && { body }) })
  const prefer = (body: unknown) => app.ask('PUT', '/api/notification-preferences', own(body))

  it('are in the inbox, the newest first, and told once however often their job runs', async () => {
    await notify('order-placed', 'first')
    await notify('order-ready', 'second')
    assert.deepEqual(await notify('order-placed', 'first'), { notified: false })
    const { body } = await app.ask('GET', '/api/notifications', own())
    assert.deepEqual(
      body.data.map(({ title, topic, readAt }: Record<string, unknown>) => [title, topic, readAt]),
      [
        ['Title of second', 'order-ready', null],
        ['Title of first', 'order-placed', null],
      ],
    )
  })

  it('are read once, and found by whether they were', async () => {
    const { notificationId } = await notify('order-placed')
    await notify('report-ready')
    const read = await app.ask('POST', `/api/notifications/${notificationId}/read`, own())
    assert.equal(read.status, 200)
    const again = await app.ask('POST', `/api/notifications/${notificationId}/read`, own())
    assert.equal(again.body.readAt, read.body.readAt)
    const topicsOf = async (query: string) => {
      const { body } = await app.ask('GET', `/api/notifications?${query}`, own())
      return body.data.map(({ topic }: { topic: string }) => topic)
    }
    assert.deepEqual(await topicsOf('unread=true'), ['report-ready'])
    assert.deepEqual(await topicsOf('unread=false'), ['order-placed'])
    assert.deepEqual(await topicsOf('topic=report-ready'), ['report-ready'])
  })

  it("are nobody else's", async () => {
    const { notificationId } = await notify('order-placed')
    const other = await addMerchant(app, `other-${++count}`)
    const list = await app.ask('GET', '/api/notifications', { token: other.token })
    assert.deepEqual(list.body.data, [])
    const read = await app.ask('POST', `/api/notifications/${notificationId}/read`, { token: other.token })
    assert.equal(read.status, 404)
    const seen = await app.ask('GET', `/api/notifications?merchant=${merchant.id}`, { token: ADMIN_TOKEN })
    assert.equal(seen.body.data.length, 1)
  })

  it('go by e-mail and short message where the merchant wants to hear of the topic', async () => {
    const wanted = {
      email: `ops-${count}@example.com`,
      phone: '+441632960001',
      byEmail: ['order-placed'],
      bySms: ['report-ready'],
    }
    assert.equal((await prefer(wanted)).status, 200)
    assert.deepEqual((await app.ask('GET', '/api/notification-preferences', own())).body, wanted)
    assert.deepEqual((await notify('order-placed')).by, ['inbox', 'email'])
    assert.deepEqual((await notify('order-ready')).by, ['inbox'])
    const { by, notificationId } = await notify('report-ready')
    assert.deepEqual(by, ['inbox', 'sms'])
    const mail = await app.mailTo(({ to }) => to === wanted.email)
    assert.match(mail.html ?? '', /Title of key/)
    assert.match(mail.text, /Title of key[\s\S]*Text\./)
    await endedJobs(app.jobs, 'notification-sms')
    const messages: string[] = []
    for await (const { key } of app.files.list('outbox/')) messages.push(await text(await app.files.read(key)))
    assert.ok(
      messages.some((message) => message.includes(`Id: notification-${notificationId}\n`)),
      String(messages),
    )
    assert.match(messages[0]!, /To: \+441632960001[\s\S]*: Title of key/)
  })

  it('say nothing of addresses in their jobs, and are not sent where the address was taken back meanwhile', async () => {
    const email = `gone-${count}@example.com`
    await prefer({ email, phone: null, byEmail: ['order-placed'], bySms: [] })
    await app.jobs.queue('email').pause()
    await notify('order-placed')
    await prefer({ email: null, phone: null, byEmail: [], bySms: [] })
    const { jobs } = await app.jobs.inspect.list({ tag: `merchant:${merchant.id}`, kind: 'notification-email' })
    assert.equal(JSON.stringify(jobs).includes(email), false)
    await app.jobs.queue('email').resume()
    assert.deepEqual((await endedJob(app.jobs, jobs[0]!.id)).result, { sent: false })
  })

  it('are wanted nowhere by a merchant that never said so', async () => {
    const { body } = await app.ask('GET', '/api/notification-preferences', own())
    assert.deepEqual(body, { email: null, phone: null, byEmail: [], bySms: [] })
  })

  for (const [what, body, path] of [
    ['by e-mail without an address', { email: null, phone: null, byEmail: ['order-placed'], bySms: [] }, '/body/email'],
    [
      'by short message without a number',
      { email: null, phone: null, byEmail: [], bySms: ['order-placed'] },
      '/body/phone',
    ],
    ['at a number that is none', { email: null, phone: '0044', byEmail: [], bySms: [] }, '/body/phone'],
    [
      'of a topic that is none',
      { email: 'a@example.com', phone: null, byEmail: ['weather'], bySms: [] },
      '/body/byEmail/0',
    ],
  ] as const)
    it(`are not to be had ${what}`, async () => {
      const answer = await prefer(body)
      assert.equal(answer.status, answer.body.code === 'E_CONTACT_MISSING' ? 422 : 400)
      assert.deepEqual(
        answer.body.errors.map((error: { path: string }) => error.path),
        [path],
      )
    })

  it('a change of where they go is audited, with who changed it', async () => {
    await prefer({ email: 'ops@example.com', phone: null, byEmail: ['order-ready'], bySms: [] })
    const read = () =>
      app.rows<{ actor: string; details: unknown; request: string }>(
        `SELECT actor, details, request_id AS request FROM $schema.audit_entries
         WHERE merchant_id = $1 AND action = 'notification-preferences.changed'
           AND details = '{"byEmail":["order-ready"],"bySms":[]}'`,
        [merchant.id],
      )
    let entries = await read()
    // To Redis the job comes a moment after its commit.
    for (; entries.length === 0; entries = await read()) await endedJobs(app.jobs, 'audit-entry')
    assert.match(entries[0]?.actor ?? '', /^key:\d+$/)
    assert.deepEqual(entries[0]?.details, { byEmail: ['order-ready'], bySms: [] })
    assert.ok(entries[0]?.request)
  })
})
