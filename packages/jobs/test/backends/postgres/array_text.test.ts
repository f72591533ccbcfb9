import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { createTestSchema } from '@tailwater/postgres/testing'
import { arrayOf, arrayText } from '../../../src/backends/postgres/array_text.ts'

const ground = await createTestSchema()
after(() => ground.close())

it('texts of any characters come back from an array as they were', async () => {
  const texts = [
    '',
    'NULL',
    'plain',
    '"quoted" \\ {braces}, commas',
    'line\nfeed\r\ttab\u0001\u001f',
    '\u007f\u0080\u2028\u2029',
    '😀 and "😀"',
    '{"json":"with \\"quotes\\" and \\\\"}',
    'a'.repeat(10_000),
  ]
  const { rows } = await ground.database.query<{ back: string[] }>('SELECT $1::text::text[] AS back', [
    arrayText(texts),
  ])
  assert.deepEqual(rows[0]!.back, texts)
})

it('what is not given is NULL at its place, and nothing at all is no array', async () => {
  assert.equal(arrayText([]), null)
  assert.equal(arrayText([undefined, null]), null)
  assert.equal(arrayText([undefined, 'a', null, 7, true]), '{NULL,"a",NULL,7,true}')
  assert.equal(
    arrayOf([{ n: 1 }, {}, { n: 0 }] as { n?: number }[], ({ n }) => n),
    '{1,NULL,0}',
  )
})
