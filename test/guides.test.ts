import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { createDatabase } from '@tailwater/postgres'
import { testServerUrl } from '@tailwater/postgres/testing'
import { startRedis } from '@tailwater/redis/testing'
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

const redis = await startRedis()
after(() => redis.stop())
process.env['REDIS_URL'] = redis.url

// A database of their own: workers of another page would take their jobs.
const name = `guides_${process.pid}`
const admin = createDatabase({ url: await testServerUrl(), min: 0, max: 1 })
await admin.start()
await admin.query(`CREATE DATABASE ${name}`)
after(async () => {
  await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
  await admin.stop()
})
const database = new URL(await testServerUrl())
database.pathname = name
process.env['DATABASE_URL'] = database.href

for (const [library, path, result] of [
  ['bullmq', '/welcomes', { sentTo: 7 }],
  ['bull', '/welcomes', { sentTo: 7 }],
  ['pg-boss', '/welcomes', { sentTo: 7 }],
  ['node-cron', '/reports', 'sales'],
] as const)
  it(`the program of the guide from ${library} runs a job to its end`, async () => {
    const { url, stop } = await runExample(`docs/guides/from-${library}.md`, `from-${library}.ts`)
    try {
      const { jobId } = (await (await fetch(`${url}${path}`, { method: 'POST' })).json()) as { jobId: string }
      assert.deepEqual(await resultOf(`${url}/jobs/${jobId}`), result)
      if (library === 'node-cron') assert.equal((await (await fetch(`${url}/reports/next`)).json()).length, 3)
    } finally {
      await stop()
    }
  })

async function resultOf(url: string): Promise<unknown> {
  for (;;) {
    const { state, result, error } = (await (await fetch(url)).json()) as Record<string, unknown>
    if (state === 'completed') return result
    assert.notEqual(state, 'dead', String(error))
  }
}
