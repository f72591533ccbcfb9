import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { ResponseStore } from '../response_cache/response_store.ts'
import type { StoredResponse } from '../response_cache/stored_response.ts'

/** A store, and how its time is moved. */
export interface ResponseStoreUnderTest {
  store: ResponseStore
  /** Makes `ms` pass for the store. */
  pass(ms: number): Promise<void>
  close?(): Promise<void>
}

/** A response to be kept. */
export function sampleResponse(body: string, more: Partial<StoredResponse> = {}): StoredResponse {
  const policy = {
    lifetime: 60_000,
    initialAge: 0,
    receivedAt: 0,
    alwaysValidate: false,
    mustRevalidate: false,
    staleWhileRevalidate: 0,
    staleIfError: undefined,
    sharesAuthorized: false,
    isHeuristic: false,
  }
  const headers = { 'content-type': 'text/plain', link: ['<a>', '<b>'] }
  return { status: 200, headers, body: Buffer.from(body), policy, vary: [], selected: '[]', tags: [], ...more }
}

/** What every `ResponseStore` promises. */
export function responseStoreContract(name: string, open: () => Promise<ResponseStoreUnderTest>): void {
  describe(`${name} keeps the ResponseStore contract`, () => {
    let subject: ResponseStoreUnderTest
    beforeEach(async () => {
      subject = await open()
    })
    afterEach(() => subject.close?.())

    async function keep(key: string, body: string, tags: readonly string[] = [], ttl = 1_000): Promise<boolean> {
      const { mark: since } = await subject.store.read(key)
      return subject.store.set(key, [sampleResponse(body)], { ttl, since, tags })
    }
    const bodies = async (key: string) => (await subject.store.read(key)).variants.map(({ body }) => body.toString())

    it('what was kept is read as it was', async () => {
      const binary = Buffer.from([0, 255, 128, 10])
      const one = sampleResponse('', { body: binary, vary: ['accept'], selected: '["x"]', tags: ['t'] })
      const { mark: since } = await subject.store.read('k')
      assert.equal(await subject.store.set('k', [one, sampleResponse('two')], { ttl: 1_000, since, tags: ['t'] }), true)
      const { variants } = await subject.store.read('k')
      assert.deepEqual(variants, [one, sampleResponse('two')])
      assert.ok(Buffer.isBuffer(variants[0]!.body))
    })

    it('of one key the later writing counts, and other keys are untouched', async () => {
      await keep('a', '1')
      await keep('b', '2')
      await keep('a', '3')
      assert.deepEqual([await bodies('a'), await bodies('b'), await bodies('c')], [['3'], ['2'], []])
    })

    it('what has had its time is gone', async () => {
      await keep('k', '1', [], 1_000)
      await subject.pass(1_001)
      assert.deepEqual(await bodies('k'), [])
    })

    it('what was deleted is not read again', async () => {
      await keep('k', '1')
      await subject.store.delete('k')
      assert.deepEqual(await bodies('k'), [])
    })

    it('what carries an invalidated tag is not read again, and the rest is', async () => {
      await keep('a', '1', ['red', 'large'])
      await keep('b', '2', ['large'])
      await keep('c', '3', ['blue'])
      await subject.store.invalidateTags(['red', 'blue'])
      assert.deepEqual([await bodies('a'), await bodies('b'), await bodies('c')], [[], ['2'], []])
    })

    it('what was asked for before a deletion is refused after it', async () => {
      const { mark: since } = await subject.store.read('k')
      await subject.store.delete('k')
      assert.equal(await subject.store.set('k', [sampleResponse('old')], { ttl: 1_000, since, tags: [] }), false)
      assert.deepEqual(await bodies('k'), [])
    })

    it('what was asked for before the invalidation of one of its tags is refused after it, though the store has never seen the tag', async () => {
      const { mark: since } = await subject.store.read('k')
      await subject.store.invalidateTags(['red'])
      assert.equal(await subject.store.set('k', [sampleResponse('old')], { ttl: 1_000, since, tags: ['red'] }), false)
      assert.deepEqual(await bodies('k'), [])
    })

    it('what was asked for after an invalidation is kept', async () => {
      await keep('k', '1', ['red'])
      await subject.store.invalidateTags(['red'])
      assert.equal(await keep('k', '2', ['red']), true)
      assert.deepEqual(await bodies('k'), ['2'])
    })

    it('a tag keeps its meaning when it is invalidated twice', async () => {
      for (const round of ['1', '2', '3']) {
        assert.equal(await keep('k', round, ['red']), true)
        assert.deepEqual(await bodies('k'), [round])
        await subject.store.invalidateTags(['red'])
        assert.deepEqual(await bodies('k'), [])
      }
    })
  })
}
