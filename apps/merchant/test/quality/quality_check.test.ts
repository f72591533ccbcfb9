import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { TailwaterError } from '@tailwater/core'
import type { Assessment, JudgedProduct, QualityProvider } from '../../src/quality/quality_provider.ts'
import { endedJob, endedJobs } from '../testing/ended_job.ts'
import {
  ADMIN_TOKEN,
  addCategory,
  addMerchant,
  addProduct,
  type MerchantApp,
  startMerchantApp,
  type TestMerchant,
} from '../testing/merchant_app.ts'

/** A provider of the test's own: it notes what it is asked, and answers as it is told. */
function createListener(): QualityProvider & {
  seen: JudgedProduct[]
  wait: number
  answer: () => Promise<Assessment>
} {
  const listener = {
    name: 'listener',
    wait: 0,
    seen: [] as JudgedProduct[],
    answer: async (): Promise<Assessment> => ({ score: 60, findings: [] }),
    async assess(product: JudgedProduct) {
      listener.seen.push(product)
      return listener.answer()
    },
  }
  return listener
}

describe('a quality check', () => {
  const provider = createListener()
  let app: MerchantApp
  let merchant: TestMerchant
  let other: TestMerchant
  let categoryId: number
  let skus = 0

  before(async () => {
    app = await startMerchantApp({ quality: provider })
    merchant = await addMerchant(app, 'northern')
    other = await addMerchant(app, 'southern')
    categoryId = await addCategory(app, 'candles')
    await app.jobs.start()
  })
  after(() => app.close())

  const newProduct = (more = {}) =>
    addProduct(app, { merchantId: merchant.id, categoryId, sku: `SKU-${++skus}`, ...more })
  const ask = (id: number, token = merchant.token) => app.ask('POST', `/api/products/${id}/quality-check`, { token })

  it('is accepted at once, followed under its address, and ends with a result', async () => {
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    provider.answer = async () => {
      begun.resolve()
      await gate.promise
      return { score: 60, findings: [] }
    }
    const id = await newProduct()
    const accepted = await ask(id)
    assert.equal(accepted.status, 202)
    assert.equal(accepted.headers['location'], `/api/jobs/${accepted.body.jobId}`)
    assert.equal(accepted.body.status, accepted.headers['location'])
    await begun.promise
    const running = await app.ask('GET', accepted.body.status, { token: merchant.token })
    assert.deepEqual([running.status, running.body.state, running.body.result], [200, 'running', null])
    gate.resolve()
    await endedJob(app.jobs, accepted.body.jobId)
    const { body } = await app.ask('GET', accepted.body.status, { token: merchant.token })
    assert.deepEqual([body.kind, body.state, body.attempt, body.error], ['quality-check', 'completed', 1, null])
    assert.deepEqual(body.progress, { percent: 100, step: 'done' })
    assert.deepEqual(body.result, {
      productId: id,
      version: 1,
      score: 60,
      verdict: 'fair',
      findings: [],
      provider: 'listener',
    })
    assert.ok(body.startedAt && body.finishedAt)
    await endedJobs(app.jobs, 'notify')
    const inbox = await app.ask('GET', '/api/notifications?topic=quality-checked', { token: merchant.token })
    assert.deepEqual(
      inbox.body.data.map(({ title, link }: Record<string, string>) => [title, link]),
      [[`Product ${id} has 60 of 100 points`, `/products/${id}`]],
    )
  })

  it("shows the provider what buyers see, and what the category's products usually cost", async () => {
    provider.answer = async () => ({ score: 90, findings: [] })
    const category = await addCategory(app, 'lamps')
    for (const price of [1, 2, 3, 4]) await newProduct({ categoryId: category, price })
    const id = await newProduct({ categoryId: category, price: 100, title: 'A lamp' })
    const { body } = await ask(id)
    await endedJob(app.jobs, body.jobId)
    const seen = provider.seen.at(-1)!
    assert.deepEqual([seen.title, seen.price, seen.usualPrice, seen.available], ['A lamp', 100, 3, 100])
    assert.equal('merchantId' in seen, false)
  })

  it('that is asked for twice is done once', async () => {
    const gate = Promise.withResolvers<void>()
    provider.answer = async () => {
      await gate.promise
      return { score: 1, findings: [] }
    }
    const id = await newProduct()
    const [first, second] = [await ask(id), await ask(id, ADMIN_TOKEN)]
    assert.equal(first.body.jobId, second.body.jobId)
    gate.resolve()
    await endedJob(app.jobs, first.body.jobId)
    assert.notEqual((await ask(id)).body.jobId, first.body.jobId)
  })

  it("is nobody else's business: others' products and jobs are not there", async () => {
    provider.answer = async () => ({ score: 60, findings: [] })
    const id = await newProduct()
    assert.equal((await ask(id, other.token)).status, 404)
    assert.equal((await ask(9_999_999)).status, 404)
    const { body } = await ask(id)
    await endedJob(app.jobs, body.jobId)
    const statuses = []
    for (const token of [other.token, ADMIN_TOKEN]) statuses.push((await app.ask('GET', body.status, { token })).status)
    assert.deepEqual(statuses, [404, 200])
    assert.equal((await app.ask('GET', body.status)).status, 401)
    const unknown = '/api/jobs/0199c0de-0000-7000-8000-000000000000'
    assert.equal((await app.ask('GET', unknown, { token: merchant.token })).status, 404)
    assert.equal((await app.ask('GET', '/api/jobs/7', { token: merchant.token })).status, 400)
  })

  it('whose provider fails tells the code of it alone, and comes again', async () => {
    await app.jobs.configure('quality-check', { attempts: 2, backoff: { type: 'fixed', delay: 1, jitter: 0 } })
    provider.answer = async () => {
      throw new TailwaterError('E_QUALITY_UNAVAILABLE', 'no answer from 10.0.0.7')
    }
    const { body } = await ask(await newProduct())
    const job = await endedJob(app.jobs, body.jobId)
    assert.deepEqual([job.state, job.attempt], ['dead', 2])
    const shown = await app.ask('GET', body.status, { token: merchant.token })
    assert.equal(shown.body.error, 'E_QUALITY_UNAVAILABLE')
    assert.equal(JSON.stringify(shown.body).includes('10.0.0.7'), false)
    await app.jobs.configure('quality-check', {})
  })

  it('waits, without an attempt of it counting, while the provider is known to be away', async () => {
    provider.answer = async () => ({ score: 60, findings: [] })
    provider.wait = 20
    const asked = provider.seen.length
    const { body } = await ask(await newProduct())
    for (;;) {
      const job = await app.jobs.inspect.get(body.jobId)
      if (job?.state === 'scheduled' || job?.state === 'retryable') break
    }
    assert.equal(provider.seen.length, asked)
    provider.wait = 0
    const job = await endedJob(app.jobs, body.jobId)
    assert.deepEqual([job.state, job.attempt], ['completed', 1])
  })

  it('of a product that is gone ends at once', async () => {
    await app.jobs.stop()
    const id = await newProduct()
    const { body } = await ask(id)
    assert.equal((await app.ask('DELETE', `/api/products/${id}`, { token: merchant.token })).status, 204)
    await app.jobs.start()
    assert.equal((await endedJob(app.jobs, body.jobId)).state, 'dead')
    const shown = await app.ask('GET', body.status, { token: merchant.token })
    assert.equal(shown.body.error, 'E_JOB_PERMANENT')
  })
})

it('without a model the rules judge, in this process', async () => {
  const app = await startMerchantApp()
  after(() => app.close())
  const merchant = await addMerchant(app, 'eastern')
  const categoryId = await addCategory(app, 'candles')
  const id = await addProduct(app, { merchantId: merchant.id, categoryId, sku: 'BARE' })
  await app.jobs.start()
  const { body } = await app.ask('POST', `/api/products/${id}/quality-check`, { token: merchant.token })
  const { result } = await endedJob(app.jobs, body.jobId)
  const { provider, verdict, findings } = result as { provider: string; verdict: string; findings: { code: string }[] }
  assert.deepEqual([provider, verdict], ['rules', 'poor'])
  const codes = findings.map(({ code }) => code)
  assert.ok(
    ['title-is-sku', 'description-missing', 'images-missing'].every((code) => codes.includes(code)),
    String(codes),
  )
})
