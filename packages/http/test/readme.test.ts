import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineCount, programsOf, runExample } from '../../../test/readme_examples.ts'

const page = 'packages/http/README.md'

test('the Fastify program of the README runs as it stands', async () => {
  assert.ok(lineCount((await programsOf(page)).get('fastify_program.ts')!) <= 20)
  const { url, stop } = await runExample(page, 'fastify_program.ts')
  try {
    const found = await fetch(`${url}/products/1`)
    assert.deepEqual(await found.json(), { id: 1, name: 'Lamp' })
    assert.ok(found.headers.get('etag'))
    const missing = (await (await fetch(`${url}/products/2`)).json()) as { code: string }
    assert.equal(missing.code, 'E_NO_PRODUCT')
    const wrong = (await (await fetch(`${url}/products/x`)).json()) as { errors: { path: string }[] }
    assert.equal(wrong.errors[0]!.path, '/params/id')
    assert.equal((await fetch(`${url}/reference`)).status, 200)
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object }
    assert.deepEqual(Object.keys(document.paths), ['/products/{id}'])
  } finally {
    await stop()
  }
})

test('the Express program of the README runs as it stands', async () => {
  assert.ok(lineCount((await programsOf(page)).get('express_program.ts')!) <= 10)
  const { url, stop } = await runExample(page, 'express_program.ts')
  try {
    const found = await fetch(`${url}/products/1`)
    assert.deepEqual(await found.json(), { id: '1', name: 'Lamp' })
    assert.ok(
      found.headers.get('etag') && found.headers.get('x-request-id') && found.headers.get('x-content-type-options'),
    )
    assert.equal((await fetch(`${url}/nothing`)).headers.get('content-type'), 'application/problem+json')
  } finally {
    await stop()
  }
})
