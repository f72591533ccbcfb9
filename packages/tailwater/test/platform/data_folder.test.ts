import assert from 'node:assert/strict'
import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { resolveConfig } from 'tailwater'
import { keptSecret, openDataFolder } from '../../src/platform/data_folder.ts'
import { keyringOf } from '../../src/platform/secrets.ts'
import { dataFolder } from './open_platform.ts'

it('the kept secret is made once, and is for its owner alone', () => {
  const folder = dataFolder()
  const secret = keptSecret(folder)
  assert.match(secret, /^[0-9a-f]{64}$/)
  assert.equal(keptSecret(folder), secret)
  assert.equal(statSync(join(folder, 'secret')).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(folder), ['secret'])
})

it('a secret that others could read is closed to them', () => {
  const folder = dataFolder()
  keptSecret(folder)
  chmodSync(join(folder, 'secret'), 0o644)
  keptSecret(folder)
  assert.equal(statSync(join(folder, 'secret')).mode & 0o777, 0o600)
})

it('a folder that cannot be is refused, with the way out', () => {
  const folder = dataFolder()
  writeFileSync(join(folder, 'file'), '')
  assert.throws(
    () => openDataFolder(join(folder, 'file', 'data')),
    (error) => hasCode(error, 'E_DATA_DIR') && /DATA_DIR/.test(error.message),
  )
})

it("production with a server of one's own demands a secret; elsewhere one is kept", () => {
  const dataDir = dataFolder()
  const database = 'postgres://localhost/shop'
  assert.throws(
    () => keyringOf(resolveConfig({ dataDir, database, environment: 'production' })),
    (error) => hasCode(error, 'E_SECRET'),
  )
  const kept = keyringOf(resolveConfig({ dataDir, database }))
  assert.deepEqual(kept.keys('token'), keyringOf(resolveConfig({ dataDir })).keys('token'))
})
