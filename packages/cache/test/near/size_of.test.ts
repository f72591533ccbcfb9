import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { sizeOf } from '../../src/near/size_of.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes by which the process grows with each of many such values. */
async function measured(make: (number: number) => unknown, count: number): Promise<number> {
  const used = async () => {
    // Buffers are freed beside the main thread, after the collection that found them.
    for (let round = 0; round < 3; round++) {
      collectGarbage()
      await setImmediate()
    }
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const kept: unknown[] = new Array(count).fill(undefined)
  const before = await used()
  for (let number = 0; number < count; number++) kept[number] = make(number)
  const after = await used()
  assert.equal(kept.length, count)
  return (after - before) / count
}

const row = (number: number) => ({
  id: number,
  name: `Product number ${number}`,
  sku: `SKU-${number}`,
  price: 9.99 + number,
  stock: number % 50,
  isActive: true,
  tags: ['new', 'sale'],
  category: { id: 3, name: `Cups ${number}` },
  description: `A fine thing to have on the table, number ${number}. `.repeat(3),
  updatedAt: '2026-11-22T10:00:00.000Z',
})
const rows = (count: number) => (number: number) => Array.from({ length: count }, (_, at) => row(number + at))
const asJson = (make: (number: number) => unknown) => (number: number) => JSON.parse(JSON.stringify(make(number)))
const table = (number: number) => new Map(asJson(rows(30))(number).map((one: { sku: string }) => [one.sku, one]))
const tree = (depth: number): unknown =>
  depth === 0 ? { leaf: 0.5 } : { left: tree(depth - 1), right: tree(depth - 1) }

const values: Record<string, { make(number: number): unknown; count: number }> = {
  'a row': { make: row, count: 5_000 },
  'a row from JSON': { make: asJson(row), count: 5_000 },
  'a page of rows': { make: asJson(rows(20)), count: 500 },
  'a long list of rows': { make: asJson(rows(2_000)), count: 20 },
  'a row with a Date': { make: (number) => ({ ...row(number), at: new Date(number) }), count: 5_000 },
  'a Map of rows': { make: table, count: 500 },
  'a Set of texts': {
    make: (number) => new Set(Array.from({ length: 100 }, (_, at) => `id ${at} ${number}`)),
    count: 500,
  },
  'a text': { make: (number) => Buffer.from(`${'plain text '.repeat(50)}${number}`).toString('latin1'), count: 5_000 },
  'a text beyond Latin': {
    make: (number) => Buffer.from(`${'çalışkan öğrenci '.repeat(50)}${number}`).toString(),
    count: 5_000,
  },
  'a Buffer': { make: () => Buffer.alloc(2_000), count: 5_000 },
  'a list of numbers': {
    make: asJson((number) => Array.from({ length: 300 }, (_, at) => at / 3 + number)),
    count: 2_000,
  },
  'a dictionary': {
    make: asJson(() => Object.fromEntries(rows(3_000)(0).map(({ sku }, at) => [sku, { at }]))),
    count: 30,
  },
  'a deep tree': { make: () => tree(10), count: 50 },
}

for (const [name, { make, count }] of Object.entries(values))
  it(`estimates ${name} within two fifths of what it takes`, async () => {
    const takes = await measured(make, count)
    const estimate = sizeOf(make(count - 1))
    assert.ok(estimate > takes * 0.6 && estimate < takes * 1.4, `estimated ${estimate}, takes ${takes.toFixed(0)}`)
  })

it('a value that stands in its place takes nothing more', () => {
  for (const value of [undefined, null, true, 0, 42, -7, Symbol.iterator, () => 1]) assert.equal(sizeOf(value), 0)
})

it('comes to an end where an object holds itself', () => {
  const ring: Record<string, unknown> = { name: 'ring' }
  ring['self'] = ring
  ring['list'] = [ring, [ring]]
  assert.ok(sizeOf(ring) < 300)
})

/** Objects that tell when something of them is looked at. */
function watched(count: number): { objects: object[]; seen: Set<object> } {
  const seen = new Set<object>()
  const watch = (target: object): ProxyHandler<object> => ({
    ownKeys() {
      seen.add(target)
      return Reflect.ownKeys(target)
    },
  })
  const objects = Array.from({ length: count }, (_, number) => {
    const target = { number: number + 0.5 }
    return new Proxy(target, watch(target))
  })
  return { objects, seen }
}

it('looks at few members of a large list, Set or Map, from all over the list', () => {
  for (const make of [
    (objects: object[]) => objects,
    (objects: object[]) => new Set(objects),
    (objects: object[]) => new Map(objects.map((object, at) => [at, object])),
  ]) {
    const { objects, seen } = watched(1_000)
    assert.ok(sizeOf(make(objects)) > 1_000 * 48)
    assert.ok(seen.size >= 16 && seen.size <= 17, `${seen.size} seen`)
  }
  const { objects, seen } = watched(1_000)
  sizeOf(objects)
  assert.ok([...seen].some((object) => 'number' in object && Number(object.number) > 900))
})

it('looks at few hundred objects of a value in all, and takes them for the others', () => {
  const { objects, seen } = watched(20 ** 3)
  const pages = Array.from({ length: 20 ** 2 }, (_, at) => objects.slice(at * 20, (at + 1) * 20))
  const books = Array.from({ length: 20 }, (_, at) => pages.slice(at * 20, (at + 1) * 20))
  const estimate = sizeOf(books)
  assert.ok(seen.size < 250, `${seen.size} seen`)
  assert.ok(estimate > 20 ** 3 * 48 && estimate < 20 ** 3 * 80, `estimated ${estimate}`)
})

it('a list without members, and one with holes, are no trouble', () => {
  assert.ok(sizeOf([]) > 0)
  assert.ok(sizeOf(new Array(100)) >= 800)
  assert.ok(sizeOf(new Map()) > 0)
  assert.ok(sizeOf(new Set()) > 0)
  assert.ok(sizeOf(Object.create(null)) > 0)
})
