import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import type { QueueOptions } from '@tailwater/jobs'
import { marketplaceWork } from '../../src/marketplaces/marketplace_work.ts'
import { queuePolicies } from '../../src/queues/policies.ts'
import { startMerchantApp } from '../testing/merchant_app.ts'

const rows: [
  queue: keyof typeof queuePolicies,
  attempts: number,
  backoff: string | undefined,
  timeout: string,
  rate: number | undefined,
  kept: string,
][] = [
  ['email', 3, 'exponential', '30s', 10, '7d'],
  ['sms', 3, 'exponential', '30s', 10, '7d'],
  ['notifications', 3, 'exponential', '30s', 50, '7d'],
  ['documents', 2, 'exponential', '5m', undefined, '7d'],
  ['reports', 2, 'exponential', '5m', undefined, '7d'],
  ['analytics', 2, 'fixed', '5m', undefined, '1d'],
  ['search', 2, 'fixed', '5m', undefined, '1d'],
  ['audit', 5, 'exponential', '30s', undefined, '30d'],
  ['warm-up', 1, undefined, '1m', undefined, '1h'],
  ['quality-check', 3, 'exponential', '1m', 10, '7d'],
  ['marketplace', 5, 'exponential', '30s', undefined, '7d'],
]

for (const [queue, attempts, backoff, timeout, rate, kept] of rows)
  it(`queue ${queue} has ${attempts} attempts of ${timeout}, and keeps what is completed for ${kept}`, () => {
    const policy: QueueOptions = queuePolicies[queue]
    assert.equal(policy.attempts, attempts)
    assert.equal((policy.backoff as { type?: string } | undefined)?.type, backoff)
    assert.equal(policy.timeout, timeout)
    assert.deepEqual(policy.limits?.rate, rate && { count: rate, per: '1s' })
    assert.equal(policy.retention?.completed, kept)
  })

it('each marketplace has places and a rate of its own, and turns', () => {
  const policy: QueueOptions = queuePolicies.marketplace
  assert.ok(policy.limits?.perKey?.rate && policy.limits.perKey.concurrency && policy.limits.fair)
  assert.ok(((policy.backoff as { jitter?: number }).jitter ?? 0) > 0)
  assert.notEqual(marketplaceWork.key({ marketplaceId: 1 }), marketplaceWork.key({ marketplaceId: 2 }))
})

it('jobs for one marketplace go by its own limits while those for another run', async () => {
  const app = await startMerchantApp()
  after(() => app.close())
  const both = Promise.withResolvers<void>()
  const running = new Map<number, number>()
  const most = new Map<number, number>()
  const kind = app.jobs.define<{ marketplaceId: number; n: number }>({
    kind: 'listing-push-of-a-test',
    ...marketplaceWork,
    async run({ payload: { marketplaceId } }) {
      running.set(marketplaceId, (running.get(marketplaceId) ?? 0) + 1)
      most.set(marketplaceId, Math.max(most.get(marketplaceId) ?? 0, running.get(marketplaceId)!))
      if (most.get(1) === 4 && most.get(2) === 1) both.resolve()
      await both.promise
      running.set(marketplaceId, running.get(marketplaceId)! - 1)
    },
  })
  await kind.enqueueMany([1, 2, 3, 4, 5].map((n) => ({ marketplaceId: 1, n })))
  await kind.enqueue({ marketplaceId: 2, n: 6 })
  await app.jobs.start()
  await both.promise
  assert.deepEqual([most.get(1), most.get(2)], [4, 1])
})

it('every kind of the merchant is on a queue of the table, but for those of payments and of what follows an order', async () => {
  const app = await startMerchantApp()
  after(() => app.close())
  const kinds: [kind: string, queue: string, payload: unknown][] = [
    ['order-confirmation', 'email', { orderId: 1 }],
    ['notification-email', 'email', { notificationId: 1 }],
    ['notification-sms', 'sms', { notificationId: 1 }],
    ['notify', 'notifications', { merchantId: 1 }],
    ['order-invoice', 'documents', { orderId: 1 }],
    ['sales-report', 'reports', { merchantId: 1, day: '2026-11-22' }],
    ['daily-reports', 'reports', null],
    ['sales-recalculation', 'analytics', { merchantId: 1 }],
    ['sales-recalculations', 'analytics', null],
    ['search-reindexing', 'search', null],
    ['audit-entry', 'audit', { merchantId: 1 }],
    ['warm-up', 'warm-up', null],
    ['warm-products', 'warm-up', { ids: [] }],
    ['warm-pages', 'warm-up', { categories: [] }],
    ['quality-check', 'quality-check', { productId: 1 }],
    ['order-fulfilment', 'default', { orderId: 1 }],
  ]
  for (const [kind, queue, payload] of kinds) {
    const { id } = await app.jobs.enqueue({ kind, payload })
    const job = await app.jobs.inspect.get(id)
    assert.equal(job?.queue, queue, kind)
    const policy: QueueOptions = queuePolicies[queue as keyof typeof queuePolicies] ?? {}
    assert.equal(job?.maxAttempts, policy.attempts ?? 5, kind)
  }
})
