import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { promisify } from 'node:util'
import { createKeyring, systemClock } from '@tailwater/core'
import { createDatabase } from '@tailwater/postgres'
import { testServerUrl } from '@tailwater/postgres/testing'
import { startRedis, type TestRedis } from '@tailwater/redis/testing'
import { resolveJobsOptions } from '../src/options.ts'

const home = join(import.meta.dirname, '..')
const folder = join(home, '../../.cache/readme')
const run = promisify(execFile)

let redis: TestRedis
const name = `jobs_pages_${process.pid}`
const environment: Record<string, string> = {}
const admin = createDatabase({ url: await testServerUrl(), min: 0, max: 1 })
before(async () => {
  await admin.start()
  await admin.query(`CREATE DATABASE ${name}`)
  redis = await startRedis()
  const url = new URL(await testServerUrl())
  url.pathname = name
  Object.assign(environment, { DATABASE_URL: url.href, REDIS_URL: redis.url })
})
after(async () => {
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  await admin.stop(systemClock.elapsed())
  await redis.stop()
})

const page = await readFile(join(home, 'README.md'), 'utf8')
const blocks = [...page.matchAll(/^##+ (.*)|^```ts\n([\s\S]*?)^```$/gm)]
let heading = 'the beginning'
for (const [index, [, title, code]] of blocks.entries())
  if (title !== undefined) heading = title
  else it(`the code of the page runs: ${heading}`, () => runCode(`page_${index}`, code!))

const entries = [
  'jobs.ts',
  'flow.ts',
  'opentelemetry.ts',
  'bullmq/import_bullmq.ts',
  'payload/type_box.ts',
  'backends/memory/memory_backend.ts',
  'backends/postgres/postgres_backend.ts',
  'backends/redis/backend.ts',
  'testing/chaos.ts',
]
for (const file of entries)
  it(`the examples in ${file} run`, async () => {
    const source = await readFile(join(home, 'src', file), 'utf8')
    const examples = [...source.matchAll(/^ \* @example\n((?: \* .*\n)+)/gm)].map(([, lines]) =>
      lines!.replaceAll(/^ \* /gm, ''),
    )
    assert.ok(examples.length > 0)
    for (const [index, code] of examples.entries()) await runCode(`${file.replaceAll(/\W/g, '_')}_${index}`, code)
  })

/** Runs code in a process of its own; what it does not declare itself stands around it. */
async function runCode(title: string, code: string): Promise<void> {
  const imports = code.match(/^import .*$/gm) ?? []
  const program = `import '${join(home, 'test/testing/page_scope.ts')}'
${imports.join('\n')}
{
${code.replaceAll(/^import .*$/gm, '')}
}
process.exit(0)
`
  await mkdir(folder, { recursive: true })
  const file = join(folder, `jobs_${title}.ts`)
  await writeFile(file, program)
  const flags = ['--conditions=@tailwater/source', '--disable-warning=ExperimentalWarning']
  await run(process.execPath, [...flags, file], { env: { ...process.env, ...environment } })
}

it('the page lists every option of the engine, and no other', () => {
  const [table] = page.split('## Options')[1]!.split('## Your tests')
  const listed = [...table!.matchAll(/^\| `(\w+)` /gm)].map((match) => match[1]!)
  const known = Object.keys(
    resolveJobsOptions({ keyring: createKeyring(['a secret of the tests, long enough']), owner: 'me', threads: 1 }),
  )
  assert.deepEqual(listed.toSorted(), [...known, 'database'].toSorted())
})
