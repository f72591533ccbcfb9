import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startCluster } from '../cluster.ts'
import { open } from '../open_cache.ts'

describe('the key browser', () => {
  it('shows keys of both tiers, some at a time, with their size and time', async () => {
    const cluster = await startCluster({ nodes: 1 })
    const { cache } = cluster.nodes[0]!
    await cache.setMany(
      Array.from({ length: 25 }, (_, i) => [`k${i}`, i] as const),
      { ttl: '10s' },
    )
    for (const tier of ['near', 'far'] as const) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await cache.keys({
          tier,
          limit: 10,
          pattern: 'default:k*',
          ...(cursor === undefined ? {} : { cursor }),
        })
        for (const { key, bytes, ttl } of page.keys) {
          seen.push(key)
          assert.ok(bytes > 0 && ttl > 0 && ttl <= 10_000)
        }
        cursor = page.next
      } while (cursor !== undefined)
      assert.equal(new Set(seen).size, 25, tier)
    }
    await cluster.stop()
  })

  it('shows what is under a key, without what nobody should read', async () => {
    const cluster = await startCluster({ nodes: 1 })
    const { cache } = cluster.nodes[0]!
    const value = {
      name: 'Ada',
      password: 'secret',
      deep: { apiKey: 'k', list: [1, { token: 't' }] },
      long: 'x'.repeat(1_000),
    }
    await cache.set('user:1', value, { tags: ['people'], ttl: '10s', grace: '5s' })
    const details = await cache.inspect('default:user:1')
    const preview = details?.preview as typeof value
    assert.deepEqual(
      [preview.name, preview.password, preview.deep, preview.long.length < 300],
      ['Ada', '(hidden)', { apiKey: '(hidden)', list: [1, { token: '(hidden)' }] }, true],
    )
    for (const tier of [details?.near, details?.far])
      assert.deepEqual([tier?.tags, tier?.freshFor, tier?.usableFor, tier?.isValid], [['people'], 10_000, 15_000, true])
    assert.equal(await cache.inspect('default:nothing'), undefined)
    await cluster.stop()
  })

  it('hides what it is told to hide', async () => {
    const { cache } = open({ redact: ['name', /^n/] })
    await cache.set('a', { name: 1, number: 2, other: 3 })
    assert.deepEqual((await cache.inspect('default:a'))?.preview, { name: '(hidden)', number: '(hidden)', other: 3 })
  })

  it('shows whatever a value is', async () => {
    const { cache } = open()
    const value = {
      at: new Date(Number.NaN),
      set: new Set([1, 2]),
      get dear(): number {
        return 1
      },
    }
    await cache.getOrSet({ key: 'a', load: () => value })
    assert.deepEqual((await cache.inspect('default:a'))?.preview, {
      at: 'Invalid Date',
      set: [1, 2],
      dear: '(getter)',
    })
  })
})
