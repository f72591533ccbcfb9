import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { copyText } from '../../src/data/copy_text.ts'
import { type DatasetOptions, generateDataset, SCALES } from '../../src/data/generated/dataset.ts'
import { datasetTables } from '../../src/data/generated/tables.ts'

const tiny = { products: 300, orders: 1_000, lines: 3_000 }

/** SHA-256 by table of the very bytes that COPY would send. */
function checksums(options: DatasetOptions): Record<string, string> {
  const sums: Record<string, string> = {}
  for (const { table, rows } of datasetTables(generateDataset(options), (slug) => `key of ${slug}`)) {
    const hash = createHash('sha256')
    for (const chunk of copyText(rows(), () => {})) hash.update(chunk)
    sums[table] = hash.digest('hex')
  }
  return sums
}

describe('generated data', () => {
  it('is the same to the byte for the same seed', () => {
    assert.deepEqual(checksums({ scale: tiny }), checksums({ scale: tiny }))
  })

  it('differs in every drawn table for another seed', () => {
    const one = checksums({ scale: tiny, seed: 1 })
    const other = checksums({ scale: tiny, seed: 2 })
    for (const table of ['products', 'product_images', 'listings', 'customers', 'orders', 'order_lines', 'payments'])
      assert.notEqual(one[table], other[table], table)
    assert.equal(one['categories'], other['categories'], 'the tree does not depend on chance')
  })

  it('is the same on every machine: its checksum is pinned', () => {
    const all = createHash('sha256')
      .update(JSON.stringify(checksums({ scale: tiny })))
      .digest('hex')
    assert.equal(all, 'f9bf6eb59dc6547a14f547ed8385088ee6780987b490546666803034ba7562a2')
  })

  it('has no date at or after the chosen end', () => {
    const end = Date.UTC(2024, 2, 1)
    const { orders } = generateDataset({ scale: tiny, end })
    assert.ok(orders.placedAt.every((moment) => moment < end))
    assert.ok(orders.placedAt.every((moment, at) => at === 0 || orders.placedAt[at - 1]! <= moment))
  })

  for (const [size, scale] of Object.entries(SCALES))
    it(`${size} is ${scale.products} products, ${scale.orders} orders and ${scale.lines} lines exactly`, () => {
      const counts = Object.fromEntries(
        datasetTables(generateDataset({ scale }), () => '').map(({ table, count }) => [table, count]),
      )
      assert.equal(counts['products'], scale.products)
      assert.equal(counts['orders'], scale.orders)
      assert.equal(counts['order_lines'], scale.lines)
      assert.equal(counts['merchants'], 10)
      assert.equal(counts['categories'], 150)
    })

  it('says the true number of rows of every table', () => {
    for (const { table, count, rows } of datasetTables(generateDataset({ scale: tiny }), () => ''))
      assert.equal([...rows()].length, count, table)
  })

  it('gives every order a line, and takes back no more than was sold', () => {
    const { orders } = generateDataset({ scale: SCALES.small })
    let returns = 0
    for (let at = 0; at < orders.placedAt.length; at++) {
      assert.ok(orders.firstLine[at + 1]! > orders.firstLine[at]!)
      const sold = orders.returns[at]!
      if (sold < 0) continue
      returns++
      assert.equal(orders.returns[sold], -1, 'a return is not returned')
      for (let step = 0; step < orders.firstLine[at + 1]! - orders.firstLine[at]!; step++) {
        const line = orders.firstLine[at]! + step
        const original = orders.firstLine[sold]! + step
        assert.equal(orders.product[line], orders.product[original])
        assert.ok(orders.quantity[line]! < 0 && -orders.quantity[line]! <= orders.quantity[original]!)
      }
    }
    const share = returns / orders.placedAt.length
    assert.ok(share > 0.15 && share < 0.17, `${share} of the orders are returns, the real shop has 0.161`)
  })

  it('shares popularity out as the real shop does', () => {
    const { orders } = generateDataset({ scale: SCALES.large })
    const lines = new Map<number, number>()
    for (const product of orders.product) lines.set(product, (lines.get(product) ?? 0) + 1)
    const ranked = [...lines.values()].sort((a, b) => b - a)
    const best = ranked.slice(0, SCALES.large.products / 10).reduce((sum, count) => sum + count, 0)
    const share = best / orders.product.length
    assert.ok(Math.abs(share - 0.4464) < 0.03, `the best tenth has ${share} of the lines, in the real shop 0.446`)
  })
})
