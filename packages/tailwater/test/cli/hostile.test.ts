import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { freePort } from '@tailwater/core/testing'
import { createTestSchema } from '@tailwater/postgres/testing'
import { startRedis } from '@tailwater/redis/testing'
import { openPlatform } from '../platform/open_platform.ts'
import { commandLine, type Ran } from './command_line.ts'

/** Every command, as it is meant to be called. */
const COMMANDS = [
  ['migrate'],
  ['migrate', '--check'],
  ['migrate', '--print'],
  ['cache', 'stats'],
  ['cache', 'keys', 'product:*'],
  ['cache', 'invalidate', '--all'],
  ['cache', 'warm', 'product'],
  ['cache', 'test'],
  ['jobs', 'stats'],
  ['jobs', 'list', 'mail'],
  ['jobs', 'add', 'mail', 'send', '{}'],
  ['jobs', 'pause', 'mail'],
  ['jobs', 'resume', 'mail'],
  ['jobs', 'retry', '--queue', 'mail'],
  ['jobs', 'clean', 'mail'],
  ['jobs', 'redrive', 'mail'],
]

/** One line for a person: no stack, no secret, no code of a library. */
function assertOneLine({ complaints }: Ran, what: string): void {
  assert.match(complaints, /^[^\n]{10,400}$/, `${what}: ${complaints.slice(0, 500)}`)
  assert.doesNotMatch(complaints, /hunter2|node_modules|\.ts:\d|\bat \S+ \(|unexpected/, `${what}: ${complaints}`)
}

describe('without its servers a command', async () => {
  const port = await freePort()
  const redis = await startRedis()
  after(() => redis.stop())
  const lost = `postgres://u:hunter2@127.0.0.1:${port}/shop`

  it('that needs the database says in one line which one does not answer', async () => {
    const tailwater = commandLine({ cache: { far: 'postgres' } }, { DATABASE_URL: lost })
    for (const command of COMMANDS) {
      const ran = await tailwater(...command)
      assert.equal(ran.code, 1, command.join(' '))
      assertOneLine(ran, command.join(' '))
      assert.match(ran.complaints, new RegExp(`127\\.0\\.0\\.1:${port}`))
    }
  })

  it('that needs Redis does likewise', async () => {
    const tailwater = commandLine(
      { jobs: { store: 'redis' } },
      { DATABASE_URL: lost, REDIS_URL: `redis://u:hunter2@127.0.0.1:${port}` },
    )
    for (const command of COMMANDS.filter(([family]) => family === 'jobs')) {
      const ran = await tailwater(...command)
      assert.equal(ran.code, 1, command.join(' '))
      assertOneLine(ran, command.join(' '))
      assert.match(ran.complaints, new RegExp(`127\\.0\\.0\\.1:${port}`))
    }
  })

  it('on a database that was never migrated says what to do', async () => {
    const ground = await createTestSchema()
    after(() => ground.close())
    const tailwater = commandLine({ schema: ground.schema, cache: { far: 'postgres' } }, { DATABASE_URL: ground.url })
    for (const command of COMMANDS.filter(([family]) => family !== 'migrate')) {
      const ran = await tailwater(...command)
      assert.equal(ran.code, 1, command.join(' '))
      assertOneLine(ran, command.join(' '))
      assert.match(ran.complaints, /tailwater migrate/, command.join(' '))
    }
  })
})

describe('settings that cannot be', () => {
  const file = (text: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'tailwater-cli-'))
    after(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'tailwater.config.mjs'), text)
    return folder
  }

  it('are explained in one line, whatever the command', async () => {
    for (const [config, hint] of [
      [{ schma: 'x' }, "did you mean 'schema'"],
      [{ jobs: { store: 'redis' } }, 'config.redisUrl'],
      [{ database: { min: 9, max: 3 } }, 'config.database.max'],
      [{ http: { cache: {} } }, 'config.http.cache.hosts'],
      [{ schema: 'x"; DROP TABLE y' }, 'schema'],
    ] as const) {
      const tailwater = commandLine(config, { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x' })
      for (const command of [['config', 'check'], ['status'], ...COMMANDS]) {
        const ran = await tailwater(...command)
        assert.equal(ran.code, 1, command.join(' '))
        assertOneLine(ran, command.join(' '))
        assert.ok(ran.complaints.includes(hint), `${command.join(' ')}: ${ran.complaints}`)
      }
    }
  })

  it('in a file that is broken, throws, or exports nothing are laid to the file', async () => {
    for (const text of [
      'export default {',
      'throw new Error("hunter2 no\\nline")',
      'export const x = 1',
      'export default 7',
    ]) {
      const ran = await program(file(text), ['config', 'check'])
      assert.equal(ran.code, 1, text)
      assert.match(ran.complaints, /^\S*tailwater\.config\.mjs [^\n]+$/, text)
    }
  })
})

/** Runs the program itself. */
async function program(cwd: string, args: readonly string[], environment: Record<string, string> = {}, hangUp = false) {
  const main = join(import.meta.dirname, '../../src/cli/main.ts')
  const child = spawn(
    process.execPath,
    ['--conditions=@tailwater/source', '--disable-warning=ExperimentalWarning', main, ...args],
    {
      cwd,
      env: { PATH: process.env['PATH'], HOME: cwd, ...environment },
    },
  )
  if (hangUp) child.stdout.destroy()
  const [said, complaints] = ['', ''].map((text) => ({ text })) as [{ text: string }, { text: string }]
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.text += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints.text += text
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, said: said.text.trim(), complaints: complaints.text.trim() }
}

it('a reader that has left is no failure, and no stack', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-cli-'))
  after(() => rmSync(folder, { recursive: true }))
  assert.deepEqual(await program(folder, ['--help'], {}, true), { code: 0, said: '', complaints: '' })
})

describe('arguments that cannot be', async () => {
  const redis = await startRedis()
  after(() => redis.stop())
  const tw = await openPlatform({ redisUrl: redis.url, jobs: { queues: { mail: {} } } })
  await tw.start()
  const tailwater = commandLine(
    { schema: tw.config.schema },
    { DATABASE_URL: tw.config.database.url!, REDIS_URL: redis.url },
  )
  const long = 'x'.repeat(1_000_000)

  for (const [args, code] of [
    [['foo'], 2],
    [['config'], 2],
    [['config', 'check', 'twice'], 2],
    [['status', '--json'], 2],
    [['migrate', 'now'], 2],
    [['migrate', '--print=1'], 2],
    [['x'.repeat(1_000_000)], 2],
    [['cache', 'x'.repeat(1_000_000)], 2],
    [['cache', 'keys', `--${'x'.repeat(1_000_000)}`], 2],
    [['cache', 'keys', '--limit', ''], 1],
    [['cache', 'keys', '--limit', 'NaN'], 1],
    [['cache', 'keys', '--limit'], 2],
    [['cache', 'keys', '--limit', '-1'], 2],
    [['cache', 'keys', '--limit=-1'], 1],
    [['cache', 'stats', '--json=yes'], 2],
    [['cache', 'invalidate', '--key', ''], 1],
    [['cache', 'invalidate', '--key', long], 1],
    [['cache', 'invalidate', '--tag', ''], 1],
    [['cache', 'invalidate', '--tag', long], 1],
    [['cache', 'invalidate', '--pattern', ''], 1],
    [['cache', 'invalidate', '--all', '--namespace', 'No Such'], 1],
    [['cache', 'invalidate', '--all=maybe'], 2],
    [['cache', 'warm', ''], 1],
    [['cache', '__proto__'], 2],
    [['cache', 'constructor'], 2],
    [['cache', '--json'], 2],
    [['jobs', 'list', ''], 1],
    [['jobs', 'list', 'mail', '--cursor', ''], 1],
    [['jobs', 'list', 'mail', '--cursor', long], 1],
    [['jobs', 'list', 'mail', '--search', '\0'], 1],
    [['jobs', 'list', 'mail', '--state', ''], 1],
    [['jobs', 'list', 'mail', '--kind', ''], 1],
    [['jobs', 'list', 'mail', '--tag', '\0'], 1],
    [['jobs', 'add', 'mail', 'send', ''], 1],
    [['jobs', 'add', 'mail', 'send', 'undefined'], 1],
    [['jobs', 'add', 'mail', 'send', '{}', '--attempts', '0'], 1],
    [['jobs', 'add', 'mail', 'send', '{}', '--attempts', '1e9'], 1],
    [['jobs', 'add', 'mail', 'send', '{}', '--delay', '-5m'], 2],
    [['jobs', 'add', 'mail', 'send', '{}', '--delay=-5m'], 1],
    [['jobs', 'add', 'mail', 'send', '{}', '--delay', '1000000d'], 1],
    [['jobs', 'add', 'mail', 'send', '{}', '--priority', '99999999999'], 1],
    [['jobs', 'add', 'mail', 'send', '{}', '--key', ''], 1],
    [['jobs', 'add', 'mail', 'send', '{}', '--key', long], 1],
    [['jobs', 'add', 'mail', 'send', '{}', '--tag', ''], 1],
    [['jobs', 'add', 'mail', '', '{}'], 1],
    [['jobs', 'add', 'mail', long], 1],
    [['jobs', 'pause', long], 1],
    [['jobs', 'retry', 'not-an-id'], 1],
    [['jobs', 'retry', ''], 1],
    [['jobs', 'retry', 'x', '--queue', 'mail'], 1],
    [['jobs', 'clean', 'mail', '--age', ''], 1],
    [['jobs', 'clean', 'mail', '--age', 'ages'], 1],
    [['jobs', 'clean', 'mail', '--age=-1d'], 1],
    [['jobs', 'clean', 'mail', '--state', 'dead', '--state', 'nope'], 1],
    [['jobs', 'redrive', 'mail', '--to', ''], 1],
  ] as const)
    it(`${args.map((arg) => JSON.stringify(arg.slice(0, 20))).join(' ')} ${code === 2 ? 'are not understood' : 'are refused'}`, async () => {
      const ran = await tailwater(...args)
      assert.equal(ran.code, code, ran.complaints)
      assertOneLine(ran, args.join(' ').slice(0, 100))
      assert.equal(ran.said, '')
    })
})
