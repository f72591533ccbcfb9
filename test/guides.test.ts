import assert from 'node:assert/strict'
import { it } from 'node:test'
import { runExample } from './readme_examples.ts'

for (const library of ['bentocache', 'cache-manager', 'node-cache'])
  it(`the program of the guide from ${library} runs, and answers the same twice`, async () => {
    const { url, stop } = await runExample(`docs/guides/from-${library}.md`, `from-${library}.ts`)
    try {
      const first = await (await fetch(`${url}/users/7`)).json()
      assert.equal(first.name, 'User 7')
      assert.deepEqual(await (await fetch(`${url}/users/7`)).json(), first)
    } finally {
      await stop()
    }
  })
