import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { freePort } from '@tailwater/core/testing'
import { createTestSchema } from '@tailwater/postgres/testing'
import { runCommand } from '../../src/cli/run_command.ts'
import { describeStartFailure } from '../../src/process/start_failure.ts'

const ground = await createTestSchema()
after(() => ground.close())
const folder = mkdtempSync(join(tmpdir(), 'tailwater-cli-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'tailwater.config.mjs'), `export default { schema: '${ground.schema}' }`)

const SECRET = 'hunter2-hunter2-hunter2-hunter2-'

/** Runs a command as a person would; what a failure says comes out as `tailwater` prints it. */
async function tailwater(command: string, environment: Record<string, string> = {}) {
  const said: string[] = []
  const complaints: string[] = []
  const code = await runCommand(command.split(' ').filter(Boolean), {
    folder,
    environment: { DATA_DIR: join(folder, 'data'), DATABASE_URL: ground.url, ...environment },
    terminal: { say: (line) => void said.push(line), complain: (line) => void complaints.push(line) },
  }).catch((error: unknown) => {
    complaints.push(describeStartFailure(error))
    return 1
  })
  return { code, said: said.join('\n'), complaints: complaints.join('\n') }
}

it('config check says what the settings come to, and no secret', async () => {
  const { code, said } = await tailwater('config check', {
    DATABASE_URL: 'postgres://shop:hunter2@db.example.com/shop?password=hunter2',
    REDIS_URL: 'redis://u:hunter2@cache.example.com:6380',
    AMQP_URL: 'amqp://u:hunter2@broker.example.com',
    SMTP_URL: 'smtps://u:hunter2@mail.example.com',
    TAILWATER_SECRET: SECRET,
    TAILWATER_ADMIN_PASSWORD: 'hunter2-hunter2',
  })
  assert.equal(code, 0)
  assert.doesNotMatch(said, /hunter2/)
  for (const host of ['db.example.com/shop', 'cache.example.com:6380', 'broker.example.com', 'mail.example.com'])
    assert.ok(said.includes(host), `${host} in\n${said}`)
  assert.match(said, /secret +given/)
})

it('a wrong setting fails in one line that names the variable, and no secret', async () => {
  for (const [name, value] of [
    ['REDIS_URL', 'http://u:hunter2@cache'],
    ['TAILWATER_SECRET', 'hunter2'],
    ['LOG_LEVEL', 'loud'],
  ] as const) {
    const { code, complaints } = await tailwater('config check', { [name]: value })
    assert.equal(code, 1)
    assert.match(complaints, new RegExp(name))
    assert.doesNotMatch(complaints, /hunter2|\n/)
  }
})

it('migrate says what is pending, prints it, applies it, and then has nothing to do', async () => {
  const before = await tailwater('migrate --check')
  assert.equal(before.code, 3)
  assert.match(before.said, /pending: jobs 1, jobs/)
  const printed = await tailwater('migrate --print')
  assert.equal(printed.code, 0)
  assert.match(printed.said, new RegExp(`CREATE TABLE "?${ground.schema}"?\\.jobs`))
  assert.equal((await tailwater('migrate --check')).code, 3, 'checking and printing change nothing')
  const applied = await tailwater('migrate')
  assert.deepEqual([applied.code, /\d+ applied/.test(applied.said)], [0, true])
  const after = await tailwater('migrate --check')
  assert.deepEqual([after.code, after.said], [0, 'Nothing is pending.'])
})

it('status asks every server that is named, and fails when one does not answer', async () => {
  await tailwater('migrate')
  const up = await tailwater('status')
  assert.equal(up.code, 0)
  assert.match(up.said, /^database +up, PostgreSQL [\d.]+.*, 0 migrations pending$/)
  const port = await freePort()
  const down = await tailwater('status', {
    REDIS_URL: `redis://u:hunter2@127.0.0.1:${port}`,
    AMQP_URL: `amqp://u:hunter2@127.0.0.1:${port}`,
  })
  assert.equal(down.code, 1)
  assert.match(down.said, /^database +up.*\nRedis +down: .*\nRabbitMQ +down: /)
  assert.doesNotMatch(down.said, /hunter2/)
  const lost = await tailwater('status', { DATABASE_URL: `postgres://u:hunter2@127.0.0.1:${port}/shop` })
  assert.equal(lost.code, 1)
  assert.match(lost.said, new RegExp(`^database +down: .*127\\.0\\.0\\.1:${port}`))
  assert.doesNotMatch(lost.said, /hunter2/)
})

it('a misspelt command or option is told the nearest one', async () => {
  for (const [command, hint] of [
    ['statsu', "did you mean 'status'?"],
    ['config chek', "did you mean 'config check'?"],
    ['migrat --check', "did you mean 'migrate'?"],
    ['migrate --chek', "did you mean '--check'?"],
    ['status --check', 'unknown: --check'],
  ] as const) {
    const { code, complaints } = await tailwater(command)
    assert.deepEqual([code, complaints.includes(hint)], [2, true], complaints)
  }
})

it('--help explains the commands; so does being called without one, as a fault', async () => {
  for (const [command, code] of [
    ['--help', 0],
    ['status -h', 0],
    ['', 2],
  ] as const) {
    const { code: ended, said, complaints } = await tailwater(command)
    assert.equal(ended, code)
    assert.match(code === 0 ? said : complaints, /tailwater migrate --print/)
  }
})
