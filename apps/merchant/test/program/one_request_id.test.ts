import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, it } from 'node:test'
import { startRedis } from '@tailwater/redis/testing'
import { startProgram, temporaryFolder } from './program.ts'

/** One line of the log. */
interface Line {
  msg: string
  requestId?: string
  path?: string
  statement?: string
  kind?: string
}

const redis = await startRedis()
after(() => redis.stop())

/** Settings by where the jobs are kept. */
const stores: Record<string, Record<string, string>> = {
  PostgreSQL: {},
  Redis: { JOBS_STORE: 'redis', REDIS_URL: redis.url },
}

for (const [store, settings] of Object.entries(stores))
  it(`one id runs from a checkout through its statements and its job in ${store} to its mail`, () =>
    followOne(store, settings))

async function followOne(store: string, settings: Record<string, string>): Promise<void> {
  const folder = temporaryFolder()
  after(() => folder.remove())
  const program = startProgram({ DATA_DIR: folder.path, LOG_LEVEL: 'debug', ...settings })
  after(() => void program.child.kill('SIGKILL'))
  const [, url] = await program.says(/API {9}(http:\S+)\/api\/products/)
  const [, apiKey] = await program.says(/API key {5}(\S+)/)
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const ask = async (path: string) => (await fetch(url + path, { headers })).json()
  const [customer] = (await ask('/api/customers?limit=1')).data
  const products = (await ask('/api/products?limit=100')).data as {
    id: number
    merchantId: number
    available: number
  }[]
  const { id: productId } = products.find((one) => one.merchantId === customer.merchantId && one.available > 0)!
  const response = await fetch(`${url}/api/orders`, {
    method: 'POST',
    headers: { ...headers, 'idempotency-key': randomUUID() },
    body: JSON.stringify({
      customerId: customer.id,
      lines: [{ productId, quantity: 1 }],
      payment: { token: 'tok_visa' },
    }),
  })
  assert.equal(response.status, 201, await response.text())
  const id = response.headers.get('x-request-id')!
  // Lines are written within a tenth of a second of each other, in the order in which they came to be: the mail's job is the last.
  await program.says(new RegExp(`"requestId":"${id}"[^\n]*"kind":"order-confirmation"[^\n]*"msg":"job"`))
  program.child.kill('SIGINT')
  assert.equal(await program.ended, 0)

  const lines = program
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
  const ours = lines.filter((line) => line.requestId === id)
  const has = (what: string, test: (line: Line) => boolean) =>
    assert.ok(ours.some(test), `no line of ${what} among\n${ours.map((line) => JSON.stringify(line)).join('\n')}`)
  has('the request', ({ msg, path }) => msg === 'request' && path === '/api/orders')
  has('a statement', ({ msg, statement }) => msg === 'statement' && /order/.test(statement ?? ''))
  has('the flow stored', ({ msg, kind }) => msg === 'job enqueued' && kind === 'order-fulfilment')
  has('the job', ({ msg, kind }) => msg === 'job' && kind === 'order-confirmation')
  has('the mail', ({ msg }) => msg === 'mail sent')
  // A turn tells the ends of many jobs and claims others: it belongs to none of their requests.
  const turns = lines.filter(({ statement }) => statement?.startsWith('tw_job_turn:'))
  assert.equal(turns.length > 0, store === 'PostgreSQL')
  assert.deepEqual(
    turns.filter(({ requestId }) => requestId !== undefined),
    [],
  )
}
