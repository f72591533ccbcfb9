import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { brotliCompressSync, brotliDecompressSync, gzipSync } from 'node:zlib'
import { openDashboard } from './dashboard_fixture.ts'

const INDEX = '<base href="%BASE%"><meta name="style-nonce" content="%NONCE%"><title>Tailwater</title>'
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(2_000))})`

/** A folder like that of the build, with something secret beside it. */
async function builtPage(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tailwater-page-'))
  t.after(() => rm(folder, { recursive: true }))
  const page = join(folder, 'dist-web')
  await mkdir(join(page, 'assets'), { recursive: true })
  await writeFile(join(folder, 'secret.js'), 'what nobody may read')
  await writeFile(join(page, 'index.html'), INDEX)
  await writeFile(join(page, 'scheme.js'), 'scheme')
  await writeFile(join(page, 'assets', 'index-abc.js'), SCRIPT)
  await writeFile(join(page, 'assets', 'index-abc.js.br'), brotliCompressSync(SCRIPT))
  await writeFile(join(page, 'assets', 'index-abc.js.gz'), gzipSync(SCRIPT))
  return page
}

/** Sends a path as it is written; `fetch` would tidy it up first. */
function raw(origin: string, path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
    const { hostname, port } = new URL(origin)
    const sent = request({ hostname, port, path, headers }, (reply) => {
      const chunks: Buffer[] = []
      reply.on('data', (chunk: Buffer) => chunks.push(chunk))
      reply.on('end', () => resolve({ status: reply.statusCode!, headers: reply.headers, body: Buffer.concat(chunks) }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('the page is told where it stands, and every part of the application is the page', async (t) => {
  const { get } = await openDashboard(t, { pageFolder: await builtPage(t), mount: '/ops/tailwater' })
  for (const path of ['', '/', '/jobs', '/jobs/42?state=dead']) {
    const { status, body, headers } = await get(`/ops/tailwater${path}`)
    assert.equal(status, 200, path)
    assert.match(String(body), /<base href="\/ops\/tailwater\/">/)
    assert.equal(headers.get('cache-control'), 'no-cache')
  }
  assert.equal((await get('/tailwater')).status, 404)
})

test('the page may run scripts of its own origin only, and none inline', async (t) => {
  const { get } = await openDashboard(t, { pageFolder: await builtPage(t) })
  const first = await get('/tailwater')
  const policy = first.headers.get('content-security-policy')!
  const nonce = /style-src 'self' 'nonce-([^']+)'/.exec(policy)?.[1]
  assert.ok(nonce)
  assert.match(String(first.body), new RegExp(`content="${nonce.replace(/[+/]/g, '\\$&')}"`))
  assert.match(policy, /script-src 'self'(;|$)/)
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe/)
  const second = await get('/tailwater')
  assert.equal(second.headers.get('content-security-policy')!.includes(nonce), false)
})

test('files with a hash in their name are kept for ever, the others are asked for again', async (t) => {
  const { get } = await openDashboard(t, { pageFolder: await builtPage(t) })
  const asset = await get('/tailwater/assets/index-abc.js')
  assert.equal(asset.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  assert.equal(asset.headers.get('content-type'), 'text/javascript; charset=utf-8')
  assert.equal(asset.headers.get('x-content-type-options'), 'nosniff')
  const scheme = await get('/tailwater/scheme.js')
  assert.equal(scheme.headers.get('cache-control'), 'no-cache')
  const again = await get('/tailwater/scheme.js', { headers: { 'if-none-match': scheme.headers.get('etag')! } })
  assert.equal(again.status, 304)
})

test('what the build has compressed is sent compressed to whoever takes it', async (t) => {
  const { origin } = await openDashboard(t, { pageFolder: await builtPage(t) })
  const path = '/tailwater/assets/index-abc.js'
  const brotli = await raw(origin, path, { 'accept-encoding': 'gzip, br' })
  assert.equal(brotli.headers['content-encoding'], 'br')
  assert.equal(brotliDecompressSync(brotli.body).toString(), SCRIPT)
  assert.match(String(brotli.headers['vary']), /accept-encoding/i)
  assert.equal((await raw(origin, path, { 'accept-encoding': 'gzip' })).headers['content-encoding'], 'gzip')
  const plain = await raw(origin, path)
  assert.equal(plain.headers['content-encoding'], undefined)
  assert.equal(plain.body.toString(), SCRIPT)
})

test('no path leads out of the folder of the page', async (t) => {
  const { origin } = await openDashboard(t, { pageFolder: await builtPage(t) })
  for (const path of [
    '/tailwater/../secret.js',
    '/tailwater/assets/../../secret.js',
    '/tailwater/%2e%2e/secret.js',
    '/tailwater/..%2fsecret.js',
    '/tailwater/assets/..%2f..%2fsecret.js',
    '/tailwater/..%5csecret.js',
    '/tailwater//../secret.js',
    '/tailwater/assets/index-abc.js%00.js',
    '/tailwater//etc/passwd.js',
    '/tailwater/__proto__.js',
  ]) {
    const { status, body } = await raw(origin, path)
    assert.ok(status === 404 || status === 400, `${path}: ${status}`)
    assert.equal(body.toString().includes('nobody may read'), false, path)
  }
})

test('an unknown file and an unknown operation are problems, and not the page', async (t) => {
  const { get } = await openDashboard(t, { pageFolder: await builtPage(t) })
  for (const path of ['/tailwater/assets/index-old.js', '/tailwater/api/nothing', '/tailwater/api/', '/tailwater/api'])
    assert.equal((await get(path)).problem.code, 'E_NOT_FOUND', path)
})

test('a page that is not built says how to build it, and is served once it is', async (t) => {
  const page = await builtPage(t)
  const { get } = await openDashboard(t, { pageFolder: join(page, 'later') })
  const browser = await get('/tailwater', { headers: { accept: 'text/html' } })
  assert.equal(browser.status, 503)
  assert.match(String(browser.body), /vite build packages\/dashboard\/web/)
  assert.equal((await get('/tailwater')).problem.code, 'E_PAGE_NOT_BUILT')
  await mkdir(join(page, 'later'))
  await writeFile(join(page, 'later', 'index.html'), INDEX)
  assert.equal((await get('/tailwater')).status, 200)
})
