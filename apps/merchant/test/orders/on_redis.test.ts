// The tests of orders once more, with the merchant's jobs in Redis: what a checkout enqueues in its transaction comes there through the outbox.
import { describe } from 'node:test'

process.env['TEST_JOBS_STORE'] = 'redis'

describe('with jobs in Redis', async () => {
  for (const suite of ['checkout', 'idempotency', 'order_flow', 'return']) await import(`./${suite}.test.ts`)
})
