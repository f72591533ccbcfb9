import assert from 'node:assert/strict'
import { it } from 'node:test'
import { adminChange, listen } from '@tailwater/core'
import { administratorToken, openPlatform } from './open_platform.ts'

const tw = await openPlatform({ jobs: { queues: { mail: {} } } })
tw.cache.define('product', { load: (id: number) => id })
await tw.start()
const handle = tw.fetch()
const authorization = `Bearer ${await administratorToken(tw)}`

async function ask(method: string, path: string, body?: unknown) {
  const headers = { authorization, ...(body !== undefined && { 'content-type': 'application/json' }) }
  const sent = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
  const reply = await handle(new Request(`http://localhost/tailwater/api${path}`, sent))
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

it("an administrator changes a queue's rate while it runs, takes it back, and both are audited", async () => {
  const change = (value: unknown, reason?: string) =>
    ask('PATCH', '/settings', { name: 'jobs.mail.rate', value, reason })
  const told: string[] = []
  const end = listen(adminChange, ({ action, target }) => void told.push(`${action} ${target}`))
  const set = await change('5/1s', 'the mail server is slow')
  end()
  assert.equal(set.status, 200, set.text)
  assert.deepEqual(told, ['settingChange jobs.mail.rate'])
  const { data } = JSON.parse((await ask('GET', '/settings')).text) as { data: { name: string; value: unknown }[] }
  assert.equal(data.find(({ name }) => name === 'jobs.mail.rate')?.value, '5/1s')
  assert.equal(JSON.parse((await change(null)).text).isDefault, true)
  const history = JSON.parse((await ask('GET', '/settings/history?name=jobs.mail.rate&limit=5')).text)
  assert.deepEqual(
    history.data.map(({ who, old, new: value, reason }: Record<string, unknown>) => [who, old, value, reason]),
    [
      ['admin@example.com', '5/1s', null, null],
      ['admin@example.com', null, '5/1s', 'the mail server is slow'],
    ],
  )
})

for (const [what, body, status, code] of [
  ['that is not there', { name: 'jobs.mail.speed', value: 1 }, 404, 'E_SETTING_UNKNOWN'],
  ['to what it cannot be', { name: 'jobs.mail.rate', value: 'fast' }, 400, 'E_VALIDATION'],
  ['without a value', { name: 'jobs.mail.rate' }, 400, 'E_VALIDATION'],
] as const)
  it(`a setting ${what} is refused`, async () => {
    const answer = await ask('PATCH', '/settings', body)
    assert.deepEqual([answer.status, JSON.parse(answer.text).code], [status, code])
  })
