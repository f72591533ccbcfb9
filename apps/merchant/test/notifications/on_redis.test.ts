// The tests of inboxes once more, with the merchant's jobs in Redis.
import { describe } from 'node:test'

process.env['TEST_JOBS_STORE'] = 'redis'

describe('with jobs in Redis', async () => {
  await import('./notifications.test.ts')
})
