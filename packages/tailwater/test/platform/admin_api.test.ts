import assert from 'node:assert/strict'
import { it } from 'node:test'
import { adminChange, listen } from '@tailwater/core'
import { administratorToken, openPlatform } from './open_platform.ts'

const tw = await openPlatform({ jobs: { queues: { mail: {} } } })
tw.cache.define('product', { load: (id: number) => id })
await tw.start()
const handle = tw.fetch()
const authorization = `Bearer ${await administratorToken(tw)}`

async function ask(method: string, path: string) {
  const reply = await handle(
    new Request(`http://localhost/tailwater/api${path}`, { method, headers: { authorization } }),
  )
  return { status: reply.status, text: await reply.text() }
}

it("the platform's cache, queues and schedules are on its dashboard, and described with its other routes", async () => {
  const cache = await ask('GET', '/cache')
  assert.equal(cache.status, 200)
  const { namespaces } = JSON.parse(cache.text) as { namespaces: { name: string }[] }
  assert.deepEqual(namespaces.map(({ name }) => name).sort(), ['default', 'product'])
  const { data } = JSON.parse((await ask('GET', '/queues')).text) as { data: { queue: string }[] }
  assert.deepEqual(
    data.map(({ queue }) => queue),
    ['default', 'mail'],
  )
  assert.equal((await ask('GET', '/schedules')).status, 200)
  const { paths } = JSON.parse((await ask('GET', '/openapi.json')).text) as { paths: Record<string, object> }
  for (const path of ['/cache', '/cache/keys/{key}', '/queues/{queue}/jobs', '/jobs/{id}', '/schedules'])
    assert.ok(`/tailwater/api${path}` in paths, path)
})

it('who pauses a queue over the API is told with it', async () => {
  const told: string[] = []
  const end = listen(
    adminChange,
    ({ actor, by, action, target }) => void told.push(`${actor} ${by} ${action} ${target}`),
  )
  assert.equal((await ask('POST', '/queues/mail/pause')).status, 204)
  end()
  assert.deepEqual(told, ['admin@example.com token queuePause mail'])
  assert.equal((await tw.jobs.queue('mail').stats()).paused, true)
})
