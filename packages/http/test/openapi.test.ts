import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  fieldsQuery,
  Id,
  noContent,
  openapiDocument,
  openapiRoute,
  Page,
  pageQuery,
  referenceRoutes,
  route,
} from '@tailwater/http'
import { fetchRouter } from '@tailwater/http/fetch'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { Type } from 'typebox'

const Product = Type.Object({ id: Id, name: Type.String({ examples: ['Lamp'] }) }, { $id: 'Product' })

const routes = [
  route({
    method: 'GET',
    path: '/products',
    id: 'listProducts',
    summary: 'Products',
    tags: ['catalogue'],
    schema: { query: Type.Object({ ...pageQuery, ...fieldsQuery }), response: { 200: Page(Product) } },
    handler: () => ({}),
  }),
  route({
    method: 'PUT',
    path: '/products/:id',
    id: 'updateProduct',
    summary: 'Changes a product',
    description: 'All of it.',
    tags: ['catalogue'],
    security: ['bearer'],
    schema: {
      params: Type.Object({ id: Id }),
      headers: Type.Object({ 'if-match': Type.String({ description: 'The version changed.' }) }),
      body: Type.Object({ name: Type.String() }),
      response: { 204: undefined },
    },
    handler: () => noContent(),
  }),
  route({
    method: 'GET',
    path: '/events',
    id: 'watch',
    summary: 'Events',
    schema: { response: { 200: Type.String({ contentMediaType: 'text/event-stream' }) } },
    handler: () => ({}),
  }),
]

const options = {
  title: 'Shop',
  version: '1.0.0',
  basePath: '/api',
  securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
}
const document = openapiDocument(routes, options)
type Plain = Record<string, unknown>
/** As a client reads it. */
const read = JSON.parse(JSON.stringify(document)) as { paths: Record<string, Record<string, Plain>>; components: Plain }

function* nodes(value: unknown, path = '#'): Generator<[string, Record<string, unknown>]> {
  if (value === null || typeof value !== 'object') return
  if (!Array.isArray(value)) yield [path, value as Record<string, unknown>]
  for (const [key, inner] of Object.entries(value)) yield* nodes(inner, `${path}/${key.replaceAll('/', '~1')}`)
}

function resolve(ref: string): unknown {
  return ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, step) => (at as Plain)?.[step.replaceAll('~1', '/')], read)
}

describe('the OpenAPI document', () => {
  test('describes each operation once, under its path template and method', () => {
    const operations = Object.entries(read.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${method} ${path} ${operationId}`),
    )
    assert.deepEqual(operations, [
      'get /api/products listProducts',
      'put /api/products/{id} updateProduct',
      'get /api/events watch',
    ])
  })

  test('is built as OpenAPI 3.1 asks', () => {
    assert.equal(document.openapi, '3.1.0')
    assert.deepEqual(document.info, { title: 'Shop', version: '1.0.0' })
    for (const [path, methods] of Object.entries(read.paths)) {
      const template = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      for (const operation of Object.values(methods)) {
        const parameters = (operation['parameters'] ?? []) as {
          name: string
          in: string
          required: boolean
          schema: object
        }[]
        for (const one of parameters) assert.ok(one.name && one.schema && ['path', 'query', 'header'].includes(one.in))
        const inPath = parameters.filter((one) => one.in === 'path')
        assert.deepEqual(
          inPath.map((one) => one.name),
          template,
        )
        assert.ok(inPath.every((one) => one.required))
        const responses = operation['responses'] as Record<string, { description?: string; $ref?: string }>
        assert.ok(Object.keys(responses).length > 0)
        for (const [status, response] of Object.entries(responses)) {
          assert.match(status, /^(?:[1-5]\d\d|default)$/)
          assert.ok(response.description || response.$ref)
        }
      }
    }
  })

  test('has no reference that leads nowhere, and names schemas once', () => {
    for (const [path, node] of nodes(read)) {
      if (typeof node['$ref'] === 'string') assert.ok(resolve(node['$ref']), `${path} -> ${node['$ref']}`)
      assert.ok(!('$id' in node), path)
    }
    assert.deepEqual(Object.keys(document.components.schemas), ['Problem', 'Product'])
  })

  test('holds schemas that compile', () => {
    const ajv = new Ajv2020({ strict: false })
    formats.default(ajv)
    ajv.addSchema(read, 'api')
    let count = 0
    for (const [path, node] of nodes(read))
      if (path.endsWith('/schema') || /\/components\/schemas\/\w+$/.test(path)) {
        const check = ajv.compile({ $ref: `api${path}` })
        assert.ok(node && check, path)
        count++
      }
    assert.ok(count > 10, `${count} schemas`)
  })

  test('says what may be left out, and what a body may not hold', () => {
    const list = read.paths['/api/products']!['get'] as unknown as { parameters: { name: string; required: boolean }[] }
    assert.deepEqual(
      list.parameters.map(({ name, required }) => [name, required]),
      [
        ['limit', false],
        ['cursor', false],
        ['total', false],
        ['fields', false],
      ],
    )
    const { requestBody, security } = read.paths['/api/products/{id}']!['put'] as unknown as {
      requestBody: { required: boolean; content: Record<string, { schema: Plain }> }
      security: unknown
    }
    assert.equal(requestBody.required, true)
    assert.equal(requestBody.content['application/json']!.schema['additionalProperties'], false)
    assert.deepEqual(security, [{ bearer: [] }])
  })

  test('names the media type of a reply that is not JSON', () => {
    const responses = read.paths['/api/events']!['get']!['responses'] as Record<string, { content: object }>
    assert.deepEqual(Object.keys(responses['200']!.content), ['text/event-stream'])
  })

  test('refuses a security scheme that nobody has described', () => {
    assert.throws(() => openapiDocument(routes, { title: 'x', version: '1' }), { code: 'E_ROUTE' })
  })
})

describe('the routes of the reference', () => {
  const handle = fetchRouter([openapiRoute(document), ...referenceRoutes()], { checkResponses: true })
  const get = (path: string, headers = {}) => handle(new Request(`http://localhost${path}`, { headers }))

  test('the document is served, and not again to who has it', async () => {
    const response = await get('/openapi.json')
    assert.deepEqual(await response.json(), read)
    const etag = response.headers.get('etag')!
    for (const condition of [etag, `W/${etag}`, `"other", ${etag}`])
      assert.equal((await get('/openapi.json', { 'if-none-match': condition })).status, 304)
    assert.equal((await get('/openapi.json', { 'if-none-match': '"other"' })).status, 200)
  })

  test('the page and all that it asks for come from here', async () => {
    const page = await get('/reference')
    assert.match(page.headers.get('content-security-policy')!, /default-src 'none'; script-src 'self';/)
    const html = await page.text()
    const asked = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => match[1]!)
    assert.equal(asked.length, 4)
    for (const url of asked) {
      const response = await get(new URL(url, 'http://localhost/reference').pathname)
      assert.equal(response.status, 200, url)
      await response.arrayBuffer()
    }
    assert.match(await (await get('/reference/initializer.js')).text(), /url: "openapi.json"/)
  })

  test('no other file is served', async () => {
    for (const file of ['package.json', '..%2Fpackage.json', 'index.html'])
      assert.equal((await get(`/reference/${file}`)).status, 400)
  })

  test('without the package the page names it', async () => {
    const without = fetchRouter(referenceRoutes({ assets: '/nowhere' }))
    const response = await without(new Request('http://localhost/reference'))
    assert.equal(response.status, 501)
    const { code, detail } = (await response.json()) as { code: string; detail: string }
    assert.equal(code, 'E_PACKAGE_MISSING')
    assert.match(detail, /swagger-ui-dist/)
  })
})
