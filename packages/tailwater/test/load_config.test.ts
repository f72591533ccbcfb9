import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { loadConfig } from '../src/cli/load_config.ts'

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** A folder with a configuration file, and perhaps others. */
function folderWith(config: string | undefined, files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-config-'))
  folders.push(folder)
  if (config !== undefined) writeFileSync(join(folder, 'tailwater.config.mjs'), config)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const FILE = `export default {
  name: 'shop', redisUrl: 'redis://file:6379', log: { level: 'warn' }, dataDir: '/srv/shop',
  database: { url: 'postgres://file/shop', replicaUrl: 'postgres://replica/shop', max: 20 },
}`

it('what the environment names wins over the file, and what it does not name stays as the file says', async () => {
  const config = await loadConfig(folderWith(FILE), { REDIS_URL: 'redis://env:6379', LOG_FORMAT: 'pretty' })
  assert.equal(config.redisUrl, 'redis://env:6379')
  assert.deepEqual(config.log, { level: 'warn', format: 'pretty' })
  assert.deepEqual([config.name, config.dataDir], ['shop', '/srv/shop'])
  assert.deepEqual(config.database, {
    url: 'postgres://file/shop',
    replicaUrl: 'postgres://replica/shop',
    max: 20,
  })
})

it("a database that the environment names does not keep the file's replica", async () => {
  const config = await loadConfig(folderWith(FILE), { DATABASE_URL: 'postgres://env/shop' })
  assert.deepEqual(config.database, { url: 'postgres://env/shop', max: 20 })
})

it('a .env file counts as environment, beneath that of the process', async () => {
  const folder = folderWith(FILE, { '.env': 'REDIS_URL=redis://dotenv:6379\nLOG_LEVEL=debug\n' })
  const config = await loadConfig(folder, { LOG_LEVEL: 'error' })
  assert.deepEqual([config.redisUrl, config.log?.level], ['redis://dotenv:6379', 'error'])
})

it('without a file there are the environment and the defaults', async () => {
  const config = await loadConfig(folderWith(undefined), {})
  assert.deepEqual([config.environment, config.log?.level, config.redisUrl], ['development', 'info', undefined])
})

it('a file that exports nothing, or fails, is refused by name', async () => {
  for (const broken of ['export const config = {}', "throw new Error('no luck')"])
    await assert.rejects(
      loadConfig(folderWith(broken), {}),
      (error) => hasCode(error, 'E_CONFIG_FILE') && /tailwater\.config\.mjs/.test(error.message),
    )
})
