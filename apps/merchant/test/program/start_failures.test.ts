import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { testServerUrl } from '@tailwater/postgres/testing'
import { startProgram, temporaryFolder } from './program.ts'

const folder = temporaryFolder()
after(() => folder.remove())

const taken = createServer().listen(0, '127.0.0.1')
await once(taken, 'listening')
after(() => taken.close())
const { port: takenPort } = taken.address() as { port: number }

const unpromising = temporaryFolder()
after(() => unpromising.remove())
chmodSync(unpromising.path, 0o555)

const ancient = temporaryFolder()
after(() => ancient.remove())
mkdirSync(join(ancient.path, 'postgres', 'pgdata'), { recursive: true })
for (const [name, text] of [
  ['PG_VERSION', '13\n'],
  ['tailwater.password', 'x'],
  ['postgres.password', 'x'],
] as const)
  writeFileSync(join(ancient.path, 'postgres', 'pgdata', name), text)

/** Nobody, when the tests run as root: root may write anywhere. */
const unprivileged = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

const failures: {
  title: string
  environment: Record<string, string>
  options?: Parameters<typeof startProgram>[1]
  line: RegExp
}[] = [
  {
    title: 'a taken port',
    environment: { DATABASE_URL: await testServerUrl(), PORT: String(takenPort) },
    line: new RegExp(`port ${takenPort} is taken: stop the program that uses it, or choose another with PORT=`),
  },
  {
    title: 'an address that the machine does not have',
    environment: { DATABASE_URL: await testServerUrl(), HOST: '203.0.113.7' },
    line: /no address 203\.0\.113\.7: correct HOST/,
  },
  {
    title: 'a database that is not there',
    environment: { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/shop' },
    line: /127\.0\.0\.1:1/,
  },
  {
    title: 'a provider of short messages without a secret to sign by',
    environment: { DATABASE_URL: await testServerUrl(), SMS_URL: 'https://u:hunter2@sms.example.com/' },
    line: /SMS_SECRET must be given when SMS_URL is/,
  },
  {
    title: 'a model at no address',
    environment: { DATABASE_URL: await testServerUrl(), QUALITY_CHECK_URL: 'hunter2' },
    line: /QUALITY_CHECK_URL must be a URL such as https:/,
  },
  {
    title: 'a RabbitMQ that is not there',
    environment: { DATABASE_URL: await testServerUrl(), AMQP_URL: 'amqp://u:hunter2@127.0.0.1:1' },
    line: /no RabbitMQ answers at 127\.0\.0\.1:1 .*AMQP_URL/,
  },
  { title: 'a wrong setting', environment: { PORT: 'http' }, line: /PORT must be a port from 0 to 65535, got 'http'/ },
  {
    title: 'a misspelt setting',
    environment: { TAILWATER_SECRETS: 'hunter2' },
    line: /did you mean TAILWATER_SECRET\?/,
  },
  {
    title: 'a misspelt option',
    environment: {},
    options: { args: ['--dta', 'x.csv'] },
    line: /unknown option --dta: did you mean --data\?/,
  },
  {
    title: 'a file without its option',
    environment: {},
    options: { args: ['other.csv'] },
    line: /Unexpected argument 'other\.csv': .*--help/,
  },
  {
    title: 'a folder that may not be written to',
    environment: { DATA_DIR: join(unpromising.path, 'data') },
    options: unprivileged,
    line: /data folder .* cannot be written to .*DATA_DIR/,
  },
  {
    title: 'the data of another PostgreSQL version',
    environment: { DATA_DIR: ancient.path },
    line: /PostgreSQL 13.*18/,
  },
  {
    title: 'the embedded database in production',
    environment: { NODE_ENV: 'production', DATA_DIR: folder.path },
    line: /set DATABASE_URL .* or allow it by name with TAILWATER_EMBEDDED_IN_PRODUCTION=allow/,
  },
  {
    title: 'production without a secret',
    environment: { NODE_ENV: 'production', DATABASE_URL: 'postgres://u@127.0.0.1:1/shop' },
    line: /TAILWATER_SECRET/,
  },
]

for (const { title, environment, options, line } of failures)
  it(`${title} ends the start with one line that names the way out, and no stack`, async () => {
    const program = startProgram({ DATA_DIR: join(folder.path, 'data'), ...environment }, options)
    assert.equal(await program.ended, 1)
    assert.match(program.output(), line)
    assert.doesNotMatch(program.output(), /\n\s+at |node:internal|hunter2/)
    const complaint = program
      .output()
      .trim()
      .split('\n')
      .filter((text) => line.test(text))
    assert.equal(complaint.length, 1)
  })
