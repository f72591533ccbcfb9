import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { startRedis } from '@tailwater/redis/testing'
import type { Tailwater } from 'tailwater'
import { openPlatform, openTwo, until } from './open_platform.ts'

async function forgetTogether([a, b]: [Tailwater, Tailwater]): Promise<void> {
  let row = 1
  const [left, right] = [a, b].map((tw) => tw.cache.define('row', { ttl: '1h', load: async (_id: number) => row }))
  assert.deepEqual([await left!.get(1), await right!.get(1)], [1, 1])
  await a.database.transaction(async (tx) => {
    row = 2
    await left!.invalidate(1, { tx })
  })
  assert.equal(await left!.get(1), 2)
  await until(async () => (await right!.get(1)) === 2)
}

it('processes on PostgreSQL alone forget together, when a transaction commits', async () => {
  const both = await openTwo()
  await forgetTogether(both)
  assert.equal(both[0].cache.stats().far, undefined)
})

it('processes that share what they load through PostgreSQL do so too', async () => {
  const both = await openTwo({ cache: { far: 'postgres' } })
  await forgetTogether(both)
  assert.equal(both[0].cache.stats().far?.backend, 'postgres')
})

it('processes with Redis do so too, and load once for both', async () => {
  const server = await startRedis()
  after(() => server.stop())
  const both = await openTwo({ redisUrl: server.url })
  await forgetTogether(both)
  let loads = 0
  const load = async () => {
    loads++
    return 'value'
  }
  const wanted = { key: 'cold', load }
  assert.deepEqual(await Promise.all(both.map(({ cache }) => cache.getOrSet(wanted))), ['value', 'value'])
  assert.equal(loads, 1)
})

it('the ttl of a namespace can be set while the processes run, and goes back to what the code says', async () => {
  const tw = await openPlatform()
  const rows = tw.cache.define('row', { ttl: '1h', load: async (id: number) => id })
  await tw.start()
  const seen: number[] = []
  for (const value of ['5s', 250]) {
    await tw.settings.set('cache.ttl.row', value, { who: 'ada' })
    seen.push(rows.ttl)
  }
  await tw.settings.reset('cache.ttl.row', { who: 'ada' })
  assert.deepEqual([...seen, rows.ttl], [5_000, 250, 3_600_000])
  await assert.rejects(tw.settings.set('cache.ttl.row', 'soon', { who: 'ada' }), { code: 'E_OPTIONS' })
})
