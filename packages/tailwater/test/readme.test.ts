import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { testServerUrl } from '@tailwater/postgres/testing'
import { resolveConfig } from 'tailwater'
import { programsOf, runExample } from '../../../test/readme_examples.ts'

const PAGE = 'packages/tailwater/README.md'
process.env['DATABASE_URL'] = await testServerUrl()

it('the program of the page runs, and has about twenty lines', async () => {
  const { url, stop } = await runExample(PAGE, 'server.ts')
  try {
    assert.equal((await fetch(`${url}/health/ready`)).status, 200)
  } finally {
    await stop()
  }
  const lines = (await programsOf(PAGE)).get('server.ts')!.split('\n').filter(Boolean)
  assert.ok(lines.length <= 20, `${lines.length} lines`)
})

it('the page lists every option, and no other', () => {
  const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const [, table] = page.split('## Options')
  const listed = [...table!.matchAll(/^\| `(\w+)` /gm)].map((match) => match[1]!)
  const known = Object.keys(resolveConfig()).filter((name) => name !== 'isEmbedded')
  assert.deepEqual(listed.toSorted(), known.toSorted())
})
