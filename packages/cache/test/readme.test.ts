import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { resolveCacheOptions } from '@tailwater/cache'
import { programsOf, runExample } from '../../../test/readme_examples.ts'

const PAGE = 'packages/cache/README.md'

for (const name of ['fastify.ts', 'express.ts'])
  it(`the program ${name} of the page runs, and has about twenty lines`, async () => {
    const { url, stop } = await runExample(PAGE, name)
    try {
      assert.deepEqual(await (await fetch(`${url}/users/7`)).json(), { id: '7', name: 'User 7' })
    } finally {
      await stop()
    }
    const lines = (await programsOf(PAGE)).get(name)!.split('\n').filter(Boolean)
    assert.ok(lines.length <= 20, `${lines.length} lines`)
  })

it('the page lists every option, and no other', () => {
  const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const [table] = page.split('## Options')[1]!.split('All from `ttl`')
  const listed = [...table!.matchAll(/^\|([^|]+)\|/gm)].flatMap((match) =>
    [...match[1]!.matchAll(/`(\w+)`/g)].map((name) => name[1]!),
  )
  const known = Object.keys(resolveCacheOptions()).filter((name) => name !== 'policy')
  assert.deepEqual(listed.toSorted(), known.toSorted())
})
