import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFields, HttpProblem, Nullable, selectColumns } from '@tailwater/http'
import fc from 'fast-check'
import { Type } from 'typebox'

const Product = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  category: Nullable(Type.Object({ id: Type.Integer(), name: Type.String() })),
  images: Type.Array(Type.Object({ url: Type.String(), alt: Type.String() })),
})

const product = {
  id: 1,
  name: 'Lamp',
  category: { id: 2, name: 'Light' },
  images: [
    { url: '/a', alt: 'a' },
    { url: '/b', alt: 'b' },
  ],
}

const fields = createFields(Product)
const pick = (text: string) => fields.parse(text).pick(product)

test('only the fields asked for are picked, in the order of the value', () => {
  assert.deepEqual(pick('name,id'), { id: 1, name: 'Lamp' })
  assert.deepEqual(Object.keys(pick('name,id')), ['id', 'name'])
})

test('nested fields are picked through objects and lists', () => {
  assert.deepEqual(pick('category.name,images.url'), {
    category: { name: 'Light' },
    images: [{ url: '/a' }, { url: '/b' }],
  })
  assert.deepEqual(fields.parse('category.name').pick({ ...product, category: null }), { category: null })
})

test('a whole field stays whole beside one of its own fields', () => {
  for (const text of ['category,category.name', 'category.name,category'])
    assert.deepEqual(pick(text), { category: product.category })
})

test('a list is picked by element, and no fields asked for means all', () => {
  assert.deepEqual(fields.parse('id').pick([product, product]), [{ id: 1 }, { id: 1 }])
  assert.equal(fields.parse(undefined).pick(product), product)
})

function faultOf(text: string): string {
  try {
    fields.parse(text)
  } catch (error) {
    assert.ok(error instanceof HttpProblem)
    assert.equal(error.status, 400)
    assert.equal(error.errors?.[0]?.path, '/query/fields')
    return error.errors[0].message
  }
  throw new assert.AssertionError({ message: `${text} was accepted` })
}

test('an unknown field is refused with the nearest known one', () => {
  assert.match(faultOf('nmae'), /did you mean 'name'/)
  assert.match(faultOf('category.nmae'), /did you mean 'category.name'/)
  assert.match(faultOf('name.first'), /'name' has no fields of its own/)
  for (const text of ['', ',', 'id,', '__proto__', 'constructor', 'category.', '.id', 'category.__proto__', ' id'])
    faultOf(text)
})

test('any text either selects known fields or is refused as a client fault', () => {
  const steps = fc.constantFrom('id', 'name', 'category', 'images', 'url', 'toString', '')
  const paths = fc.array(fc.array(steps, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 })
  const texts = fc.oneof(
    fc.string(),
    paths.map((all) => all.map((path) => path.join('.')).join(',')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const picked = pick(text)
        for (const key of Object.keys(picked)) assert.ok(key in product)
      } catch (error) {
        assert.ok(error instanceof HttpProblem && error.status === 400)
      }
    }),
  )
})

test('SQL reads the columns of the fields asked for, and what is always needed, once each', () => {
  const columns = {
    id: 'p.id',
    name: 'p.title AS name',
    'category.id': 'c.id AS category_id',
    'category.name': 'c.name AS category_name',
    images: ['i.urls', 'i.alts'],
  }
  const select = (text: string | undefined, always?: string[]) => selectColumns(fields.parse(text), columns, always)
  assert.equal(select('name'), 'p.title AS name')
  assert.equal(select('category'), 'c.id AS category_id, c.name AS category_name')
  assert.equal(select('category.name,images.url'), 'c.name AS category_name, i.urls, i.alts')
  assert.equal(select('name', ['p.id', 'p.title AS name']), 'p.title AS name, p.id')
  assert.equal(select(undefined), 'p.id, p.title AS name, c.id AS category_id, c.name AS category_name, i.urls, i.alts')
})
