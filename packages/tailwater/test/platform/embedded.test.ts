import assert from 'node:assert/strict'
import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { createTailwater } from 'tailwater'
import { dataFolder } from './open_platform.ts'

it('a platform that cannot be assembled leaves no PostgreSQL running', async () => {
  const dataDir = dataFolder()
  chmodSync(dataDir, 0o755)
  await assert.rejects(createTailwater({ dataDir, database: { replicaUrl: 'nonsense' } }), (error) =>
    hasCode(error, 'E_OPTIONS'),
  )
  assert.equal(existsSync(join(dataDir, 'postgres', 'pgdata', 'PG_VERSION')), true, 'it had been started')
  assert.equal(existsSync(join(dataDir, 'postgres', 'pgdata', 'postmaster.pid')), false)
})

it('URLs that a configuration gets wrong are refused without being repeated', async () => {
  for (const wrong of [
    { amqpUrl: 'http://u:hunter2@x' },
    { mail: { smtpUrl: 'u:hunter2@x' } },
    { redisUrl: 'u:hunter2@' },
  ])
    await assert.rejects(
      createTailwater({ dataDir: dataFolder(), database: 'postgres://localhost/shop', ...wrong }),
      (error) => hasCode(error, 'E_OPTIONS') && !/hunter2/.test(error.message),
    )
})
