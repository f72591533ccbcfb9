// The merchant in a process of its own, which counts where each product that was asked for came from.
import { tmpdir } from 'node:os'
import { cacheAccess, httpRequest, listen } from '@tailwater/core'
import { createTailwater } from 'tailwater'
import { merchantMigrations } from '../../apps/merchant/src/database/migrations.ts'
import { openShop } from '../../apps/merchant/src/program/shop.ts'
import { queuePolicies } from '../../apps/merchant/src/queues/policies.ts'
import { ServedBy } from './served_by.ts'
import type { ShopPlan } from './zipf_plan.ts'

const ADMINISTRATOR = { email: 'admin@example.com', password: 'a long sentence is a good password' }

async function open(plan: ShopPlan): Promise<void> {
  const platform = await createTailwater({
    environment: 'production',
    database: { url: plan.databaseUrl },
    redisUrl: plan.redisUrl,
    cache: { near: { maxEntries: plan.nearEntries } },
    jobs: { queues: queuePolicies },
    application: { schema: 'merchant', modules: [merchantMigrations] },
    dataDir: `${tmpdir()}/tailwater-zipf`,
    secret: 'not a secret: the benchmark reads public pages',
    // Refusals and slow statements are counted, and need not be written as well.
    log: { level: 'error' },
    administrator: ADMINISTRATOR,
  })
  const served = new ServedBy()
  listen(cacheAccess, (access) => served.accessed(access))
  listen(httpRequest, (request) => served.answered(request))
  await platform.start()
  const shop = await openShop(platform, { host: '127.0.0.1', port: 0, apiRate: 0 })
  await shop.start()
  const user = await platform.accounts.verifyPassword(ADMINISTRATOR.email, ADMINISTRATOR.password)
  const { token } = await platform.accounts.issueToken(user!)
  process.on('message', () => process.send!({ served: served.report(), cache: platform.cache.stats() }))
  process.on('disconnect', () => void stop())
  process.send!({ port: Number(new URL(shop.url).port), token })

  async function stop(): Promise<void> {
    await shop.stop()
    await platform.stop()
    process.exit(0)
  }
}

process.once('message', (plan: ShopPlan) => {
  open(plan).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
