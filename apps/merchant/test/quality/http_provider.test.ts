import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createHttpQualityProvider } from '../../src/quality/http_provider.ts'
import type { JudgedProduct } from '../../src/quality/quality_provider.ts'
import { startHttpPeer } from '../testing/http_peer.ts'

const product: JudgedProduct = {
  id: 7,
  sku: 'HEART',
  title: 'A heart',
  description: 'Of metal.',
  price: 2.55,
  currency: 'GBP',
  category: 'Candles',
  status: 'active',
  available: 3,
  images: [],
  usualPrice: null,
}
const finding = { field: 'title', code: 'title-dull', severity: 'hint', message: 'It could be livelier.' }
const good = { status: 200, body: { score: 80, findings: [finding] } }
const broken = { status: 503 }

async function start(answer: Parameters<typeof startHttpPeer>[0], more: { failures?: number; token?: string } = {}) {
  const peer = await startHttpPeer(answer)
  const clock = new FakeClock()
  const provider = createHttpQualityProvider({ url: peer.url, clock, pause: 30_000, ...more })
  return { peer, clock, provider }
}

it('asks the model with the product and the token, and takes its answer', async () => {
  const { peer, provider } = await start(() => good, { token: 'secret' })
  assert.deepEqual(await provider.assess(product), good.body)
  assert.deepEqual(JSON.parse(peer.requests[0]!.body), product)
  assert.equal(peer.requests[0]!.headers.authorization, 'Bearer secret')
})

it('what an answer says besides is left out', async () => {
  const { provider } = await start(() => ({ status: 200, body: { ...good.body, model: 'x' } }))
  assert.deepEqual(await provider.assess(product), good.body)
})

for (const [what, body] of [
  ['no JSON', '<html>'],
  ['another shape', { points: 3 }],
  ['a score that is none', { score: 101, findings: [] }],
  ['nothing', undefined],
] as const)
  it(`an answer with ${what} is a failure of the model`, async () => {
    const { provider } = await start(() => ({ status: 200, body }))
    await assert.rejects(provider.assess(product), { code: 'E_QUALITY_UNAVAILABLE' })
  })

it('after failures in a row nobody asks until the pause is over; then one call decides', async () => {
  const { peer, clock, provider } = await start(() => broken, { failures: 2 })
  for (let call = 0; call < 2; call++) {
    assert.equal(provider.wait, 0)
    await assert.rejects(provider.assess(product), { code: 'E_QUALITY_UNAVAILABLE' })
  }
  assert.equal(provider.wait, 30_000)
  await assert.rejects(provider.assess(product), { code: 'E_QUALITY_UNAVAILABLE', message: /left alone/ })
  assert.equal(peer.requests.length, 2)

  await clock.advance(30_000)
  await assert.rejects(provider.assess(product), { message: /503/ })
  assert.deepEqual([peer.requests.length, provider.wait], [3, 30_000])

  await clock.advance(30_000)
  peer.answer = () => good
  assert.deepEqual(await provider.assess(product), good.body)
  assert.equal(provider.wait, 0)
  peer.answer = () => broken
  await assert.rejects(provider.assess(product), { message: /503/ })
  assert.equal(provider.wait, 0)
})

it('a request that the model refuses, and one whose job is told to stop, say nothing of the model', async () => {
  const { peer, provider } = await start(() => ({ status: 422 }), { failures: 1 })
  await assert.rejects(provider.assess(product), { code: 'E_JOB_PERMANENT' })
  const stop = new AbortController()
  peer.answer = () => {
    stop.abort(new Error('the process is stopping'))
    return 'silence'
  }
  await assert.rejects(provider.assess(product, { signal: stop.signal }), /stopping/)
  assert.equal(provider.wait, 0)
})
