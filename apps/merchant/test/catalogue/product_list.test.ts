import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type Answer,
  addCategory,
  addMerchant,
  addProduct,
  type MerchantApp,
  startMerchantApp,
  type TestMerchant,
} from '../testing/merchant_app.ts'

const SORTS = ['-created', 'created', 'price', '-price', 'title', '-title']

describe('the product list', () => {
  let app: MerchantApp
  let northern: TestMerchant
  let southern: TestMerchant
  let home: number
  let candles: number

  before(async () => {
    app = await startMerchantApp()
    northern = await addMerchant(app, 'northern')
    southern = await addMerchant(app, 'southern')
    home = await addCategory(app, 'home')
    candles = await addCategory(app, 'candles', home)
    const holders = await addCategory(app, 'candle-holders', candles)
    const garden = await addCategory(app, 'garden')
    const categories = [home, candles, holders, garden]
    // Prices, titles and moments are shared by several products, so that only the id makes the order total.
    for (let at = 0; at < 60; at++)
      await addProduct(app, {
        merchantId: at % 3 === 0 ? southern.id : northern.id,
        categoryId: categories[at % 4]!,
        sku: `S${at}`,
        title: `${['Red', 'Green', 'Blue'][at % 3]} lantern${at % 10 === 0 ? ' of glass' : ''}`,
        price: (at % 5) + 0.125,
        createdAt: `2026-11-${10 + (at % 7)}T10:00:00.123456Z`,
        onHand: at,
      })
    await addProduct(app, { merchantId: northern.id, categoryId: candles, sku: 'D1', title: 'Draft', status: 'draft' })
    await addProduct(app, { merchantId: northern.id, categoryId: candles, sku: 'A1', title: 'Old', status: 'archived' })
  })
  after(() => app.close())

  const list = (query: string, token?: string) => app.ask('GET', `/api/products?${query}`, token ? { token } : {})
  const ids = ({ body }: Answer): number[] => body.data.map((product: { id: number }) => product.id)
  const skus = ({ body }: Answer): string[] => body.data.map((product: { sku: string }) => product.sku)

  async function walk(query: string, step: 'next' | 'previous' = 'next', from?: string): Promise<number[]> {
    const found: number[] = []
    for (let cursor = from; ; ) {
      const page = await list(`${query}${cursor ? `&cursor=${cursor}` : ''}`)
      assert.equal(page.status, 200, JSON.stringify(page.body))
      if (step === 'next') found.push(...ids(page))
      else found.unshift(...ids(page))
      cursor = page.body.page[step] ?? undefined
      if (!cursor) return found
    }
  }

  it('gives each product with its category, merchant, stock and first image', async () => {
    const { body } = await list('limit=1&sort=title')
    const [product] = body.data
    assert.deepEqual(Object.keys(product), [
      'id',
      'sku',
      'title',
      'price',
      'currency',
      'status',
      'categoryId',
      'category',
      'merchantId',
      'merchant',
      'available',
      'image',
      'version',
      'createdAt',
      'updatedAt',
    ])
    assert.equal(product.currency, 'GBP')
    assert.equal(typeof product.price, 'number')
  })

  it('writes a product as its own address does', async () => {
    const { body } = await list('limit=1&sort=title')
    const [product] = body.data
    const { images, description, ...alone } = (await app.ask('GET', `/api/products/${product.id}`)).body
    assert.deepEqual(product, alone)
    assert.match(product.createdAt, /^2026-11-1\dT10:00:00\.123Z$/)
  })

  for (const sort of SORTS)
    it(`walks every product once, forwards and back, sorted by ${sort}`, async () => {
      const all = ids(await list(`sort=${sort}&limit=100`))
      assert.equal(all.length, 60)
      assert.deepEqual(await walk(`sort=${sort}&limit=7`), all)
      const last = await list(`sort=${sort}&limit=7&offset=56`)
      assert.deepEqual(ids(last), all.slice(56))
      assert.deepEqual(await walk(`sort=${sort}&limit=7`, 'previous', last.body.page.previous), all.slice(0, 56))
    })

  it('means a whole subtree by a category, given by id or slug', async () => {
    const below = await list(`category=${home}&limit=100`)
    assert.equal(ids(below).length, 45)
    assert.deepEqual(ids(await list('category=home&limit=100')), ids(below))
    assert.deepEqual(await walk('category=home&limit=4'), ids(below))
    assert.equal(ids(await list('category=candles&limit=100')).length, 30)
    assert.deepEqual(ids(await list('category=nowhere&limit=100')), [])
  })

  it('filters by price, merchant and status', async () => {
    assert.equal(ids(await list('minPrice=1.125&maxPrice=2.125&limit=100')).length, 24)
    assert.equal(ids(await list(`merchant=${southern.id}&limit=100`)).length, 20)
    assert.deepEqual(skus(await list('status=archived')), ['A1'])
  })

  it('shows drafts to their merchant alone', async () => {
    assert.equal((await list('status=draft')).status, 401)
    assert.deepEqual(skus(await list('status=draft', northern.token)), ['D1'])
    assert.deepEqual(skus(await list('status=draft', southern.token)), [])
    assert.deepEqual(skus(await list(`status=draft&merchant=${northern.id}`, southern.token)), [])
  })

  it('finds words and parts of titles, the most relevant first', async () => {
    assert.equal((await list('q=glass&total=true')).body.page.total, 6)
    assert.equal(ids(await list('q=lanterns&limit=100')).length, 60)
    assert.equal(ids(await list('q=antern&limit=100&category=garden')).length, 15)
    assert.deepEqual(await walk('q=lantern glass&limit=4'), ids(await list('q=lantern glass&limit=100')))
    assert.deepEqual(ids(await list(`q=${encodeURIComponent('100%_\\')}`)), [])
  })

  it('answers with the fields asked for, and reads no others', async () => {
    const { body } = await list('fields=title,price&limit=2')
    assert.deepEqual(Object.keys(body.data[0]), ['title', 'price'])
    assert.equal((await list('fields=titel')).status, 400)
  })

  for (const sort of SORTS)
    it(`gives the same pages whichever fields are asked for, sorted by ${sort}`, async () => {
      const whole = await walk(`sort=${sort}&limit=9`)
      for (const fields of ['id', 'id,title', 'createdAt,id,title', 'id,price,sku'])
        assert.deepEqual(await walk(`sort=${sort}&limit=9&fields=${fields}`), whole, fields)
    })

  it('goes on with other fields by the same cursor', async () => {
    const few = await list('fields=id&limit=10')
    const { next } = few.body.page
    assert.deepEqual(
      ids(await list(`limit=10&cursor=${next}`)),
      ids(await list(`fields=id,createdAt&limit=10&cursor=${next}`)),
    )
  })

  it('keeps apart what is asked for in one shape with other values', async () => {
    const asked = [
      'category=home&minPrice=1',
      'category=garden&minPrice=3',
      'category=home&minPrice=3',
      'category=garden&minPrice=1',
      'q=red&category=garden',
      'q=blue&category=garden',
    ]
    const apart = []
    for (const query of asked) apart.push(ids(await list(`${query}&limit=100`)))
    const together = await Promise.all(asked.map(async (query) => ids(await list(`${query}&limit=100`))))
    assert.deepEqual(together, apart)
    assert.equal(new Set(apart.map(String)).size, asked.length)
  })

  it('neither repeats nor skips a row while others are added and taken away', async () => {
    const own = await addMerchant(app, 'busy')
    const add = (sku: string, price: number) =>
      addProduct(app, { merchantId: own.id, categoryId: home, sku, price, title: 'Busy' })
    for (let at = 0; at < 30; at++) await add(`B${at}`, 10 + at)
    const expected = skus(await list(`merchant=${own.id}&sort=price&limit=100`))
    const found: string[] = []
    for (let cursor: string | undefined, page = 0; ; page++) {
      const { body } = await list(`merchant=${own.id}&sort=price&limit=4${cursor ? `&cursor=${cursor}` : ''}`)
      found.push(...body.data.map((product: { sku: string }) => product.sku))
      cursor = body.page.next
      if (!cursor) break
      // Before and beyond the page, and the very row that the cursor stands beside.
      await add(`new-low-${page}`, 1)
      await app.rows('UPDATE $schema.products SET price = 2 WHERE sku = $1 AND merchant_id = $2', [
        found.at(-1),
        own.id,
      ])
    }
    assert.deepEqual(found, expected)
  })

  it('refuses cursors that are forged, or of another sort or filter', async () => {
    const { next } = (await list('sort=price&limit=3')).body.page
    for (const query of [
      `sort=title&cursor=${next}`,
      `sort=price&category=home&cursor=${next}`,
      `cursor=${next}x`,
      'cursor=AAAA',
    ]) {
      const refused = await list(query)
      assert.equal(refused.status, 400)
      assert.equal(refused.body.code, 'E_CURSOR')
      assert.equal(refused.body.errors[0].path, '/query/cursor')
    }
    assert.equal((await list(`sort=price&limit=50&cursor=${next}`)).status, 200)
  })

  it('counts when it is asked to', async () => {
    assert.equal((await list('total=true&category=garden')).body.page.total, 15)
    assert.equal('total' in (await list('')).body.page, false)
  })
})
