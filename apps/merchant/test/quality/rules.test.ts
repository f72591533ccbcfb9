import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { JudgedProduct } from '../../src/quality/quality_provider.ts'
import { ruleProvider } from '../../src/quality/rule_provider.ts'

const flawless: JudgedProduct = {
  id: 7,
  sku: '85123A',
  title: 'White hanging heart T-light holder',
  description:
    'A holder of white painted metal for one small candle, with a loop of jute to hang it up by. It is twelve centimetres high and suits windows, branches and tables.',
  price: 2.55,
  currency: 'GBP',
  category: 'Candles',
  status: 'active',
  available: 12,
  images: [
    { position: 0, url: 'https://images.example.com/1.webp', alt: 'The holder at a window' },
    { position: 1, url: '/images/2.webp', alt: 'The holder in a hand' },
  ],
  usualPrice: 3,
}
const image = (url: string, alt = 'A picture') => ({ position: 0, url, alt })

it('a product that is described well is flawless', async () => {
  assert.deepEqual(await ruleProvider.assess(flawless), { score: 100, findings: [] })
})

const flaws: [code: string, change: Partial<JudgedProduct>][] = [
  ['title-short', { title: 'Holder' }],
  ['title-long', { title: 'A most wonderful holder of painted metal '.repeat(4) }],
  ['title-is-sku', { title: '85123-a' }],
  ['title-shouts', { title: 'WHITE HANGING HEART T-LIGHT HOLDER' }],
  ['title-advertises', { title: 'White hanging heart holder, best price' }],
  ['title-advertises', { title: 'White hanging heart holder!!!' }],
  ['title-repeats', { title: 'White heart holder white heart' }],
  ['description-missing', { description: ' \n' }],
  ['description-short', { description: 'A holder made of metal.' }],
  ['description-is-title', { description: 'White heart T-light holder, hanging. '.repeat(4) }],
  ['description-markup', { description: `${flawless.description} <b>New</b>` }],
  ['description-contact', { description: `${flawless.description} See www.example.com.` }],
  ['description-contact', { description: `${flawless.description} Call +44 1632 960 001.` }],
  ['description-placeholder', { description: 'Lorem ipsum dolor sit amet '.repeat(5) }],
  ['price-zero', { price: 0 }],
  ['price-high', { price: 31 }],
  ['price-low', { price: 0.29 }],
  ['price-fraction', { price: 2.555 }],
  ['images-missing', { images: [] }],
  ['images-few', { images: [image('/1.webp')] }],
  ['images-undescribed', { images: [image('/1.webp', ' '), image('/2.webp')] }],
  ['images-repeated', { images: [image('/1.webp'), image('/1.webp')] }],
  ['images-insecure', { images: [image('http://example.com/1.webp'), image('/2.webp')] }],
  ['sku-spaces', { sku: '85 123A' }],
  ['sold-out', { available: 0 }],
]

for (const [code, change] of flaws)
  it(`finds ${code} in ${JSON.stringify(change).slice(0, 60)}`, async () => {
    const { score, findings } = await ruleProvider.assess({ ...flawless, ...change })
    assert.ok(
      findings.some((found) => found.code === code),
      JSON.stringify(findings),
    )
    assert.ok(score < 100)
  })

it('a price is far off only where enough others tell what is usual', async () => {
  assert.equal((await ruleProvider.assess({ ...flawless, price: 31, usualPrice: null })).score, 100)
  assert.equal((await ruleProvider.assess({ ...flawless, price: 30 })).score, 100)
})

it('a draft that is sold out is no flaw, and the worst product has no points left', async () => {
  assert.equal((await ruleProvider.assess({ ...flawless, status: 'draft', available: 0 })).score, 100)
  const worst = { ...flawless, title: '85123A', description: '', price: 0, images: [] }
  assert.equal((await ruleProvider.assess(worst)).score, 0)
})
