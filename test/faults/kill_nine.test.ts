import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after, it } from 'node:test'
import { createDatabase, type Database } from '@tailwater/postgres'
import { createEmbeddedPostgres } from '@tailwater/postgres/embedded'
import { type Program, startProgram, temporaryFolder } from '../../apps/merchant/test/program/program.ts'
import { record, seeds } from './journal.ts'
import { auditOrders, missingOrders } from './order_audit.ts'
import { randomIntegers } from './random.ts'
import { createShoppers, type Shelf } from './shoppers.ts'

const FAULT = 'kill -9 of the application amid checkouts'
const MUST_HOLD =
  'No order without its lines, payment and job; no confirmed order lost; PostgreSQL adopted, or restarted when it was killed too.'
/** Kills and confirmed orders of each seed of a whole run, which has two; `npm test` makes do with a sample of both. */
const WHOLE = { kills: 25, confirmed: 2_500 }
const SAMPLE = { kills: 6, confirmed: 300 }

const { kills, confirmed: wanted } = process.env['TAILWATER_TEST_ALL_SEEDS'] ? WHOLE : SAMPLE

for (const seed of seeds([20261122, 7]))
  it(`no kill -9 in the middle of checkouts loses or halves an order (seed ${seed})`, async () => {
    const folder = temporaryFolder()
    after(() => folder.remove())
    const random = randomIntegers(seed)
    let program = await open(folder.path)
    after(() => void program.child.kill('SIGKILL'))
    const apiKey = (await program.says(/API key {5}(\S+)/))[1]!
    const shoppers = createShoppers({ apiKey, shelf: await shelfOf(program.url, apiKey), lanes: 16 })
    const before = await withDatabase(folder.path, baseline)
    await withDatabase(folder.path, letRatesGo)

    let adopted = 0
    let restarted = 0
    const perKill = Math.ceil(wanted / kills)
    for (let kill = 1; kill <= kills; kill++) {
      const postmaster = postmasterPid(folder.path)
      const target = shoppers.confirmed.size + random(perKill, Math.ceil(perKill * 1.4))
      const { child, ended } = program
      await shoppers.shop(program.url, (count) => {
        if (count >= target) child.kill('SIGKILL')
      })
      await ended
      if (kill % 3 === 0) process.kill(postmaster, 'SIGKILL')
      program = await open(folder.path)
      if (postmasterPid(folder.path) === postmaster) adopted++
      else restarted++
    }

    await allJobsDone(program, folder.path, before)
    const audit = await withDatabase(folder.path, (database) =>
      auditOrders(database, before.lastOrder, before.reserved),
    )
    const missing = await withDatabase(folder.path, (database) =>
      missingOrders(database, [...shoppers.confirmed.values()]),
    )
    program.child.kill('SIGINT')
    assert.equal(await program.ended, 0)
    const figures = { kills, adopted, restarted, confirmed: shoppers.confirmed.size, lost: missing.length, ...audit }
    record({ fault: FAULT, seed, mustHold: MUST_HOLD, figures })
    assert.deepEqual([missing, shoppers.surprises], [[], []])
    assert.ok(shoppers.confirmed.size >= wanted)
    assert.equal(new Set(shoppers.confirmed.values()).size, shoppers.confirmed.size, 'two keys share an order')
    assert.deepEqual(
      { ...audit, orders: 0 },
      { orders: 0, withoutLines: 0, withoutPayment: 0, withoutJob: 0, reservedAstray: 0, unfinishedJobs: 0 },
    )
    assert.ok(restarted >= Math.floor(kills / 3))
  })

async function open(dataDir: string): Promise<Program & { url: string }> {
  const program = startProgram({ DATA_DIR: dataDir, API_RATE: '0' })
  const [, url] = await program.says(/API {9}(http:\S+)\/api\/products/)
  await program.says(/Ctrl-C stops everything/)
  return { ...program, url: url! }
}

async function shelfOf(url: string, apiKey: string): Promise<Shelf> {
  const headers = { authorization: `Bearer ${apiKey}` }
  const ask = async (path: string) => (await fetch(url + path, { headers })).json()
  const customer = (await ask('/api/customers?limit=1')).data[0] as { id: number; merchantId: number }
  const products = (await ask('/api/products?limit=100')).data as { id: number; merchantId: number }[]
  const productIds = products.filter(({ merchantId }) => merchantId === customer.merchantId).map(({ id }) => id)
  for (const id of productIds) {
    const read = await fetch(`${url}/api/products/${id}`, { headers })
    const response = await fetch(`${url}/api/products/${id}`, {
      method: 'PATCH',
      headers: { ...headers, 'content-type': 'application/json', 'if-match': read.headers.get('etag')! },
      body: JSON.stringify({ onHand: 100_000, status: 'active' }),
    })
    assert.equal(response.status, 200, await response.text())
  }
  return { customerId: customer.id, productIds }
}

const postmasterPid = (dataDir: string) =>
  Number(readFileSync(`${dataDir}/postgres/pgdata/postmaster.pid`, 'utf8').split('\n')[0])

/** A look at the data from outside: the supervisor adopts the running server and lets it go again. */
async function withDatabase<T>(dataDir: string, look: (database: Database) => Promise<T>): Promise<T> {
  const postgres = createEmbeddedPostgres({ dataDir: `${dataDir}/postgres` })
  await postgres.start()
  const database = createDatabase({ url: postgres.server.url, min: 0, max: 2 })
  try {
    await database.start()
    return await look(database)
  } finally {
    await database.stop()
    await postgres.stop()
  }
}

async function baseline(database: Database): Promise<{ lastOrder: number; reserved: number }> {
  const { rows } = await database.query<{ lastOrder: number; reserved: number }>(
    `SELECT (SELECT max(id)::float8 FROM merchant.orders) AS "lastOrder", (SELECT sum(reserved)::int FROM merchant.stock) AS reserved`,
  )
  return rows[0]!
}

/** Ten mails a second would be most of the test. Processes find it in the table when they start. */
async function letRatesGo(database: Database): Promise<void> {
  for (const queue of ['email', 'notifications'])
    await database.query(
      `INSERT INTO tailwater.settings (name, value, updated_at) VALUES ($1, '"none"'::jsonb, tailwater.now())`,
      [`jobs.${queue}.rate`],
    )
}

/** Waits until the log tells of no more jobs to do: those of killed processes run when their leases have ended. */
async function allJobsDone(
  program: Program,
  dataDir: string,
  before: { lastOrder: number; reserved: number },
): Promise<void> {
  for (;;) {
    const { unfinishedJobs } = await withDatabase(dataDir, (database) =>
      auditOrders(database, before.lastOrder, before.reserved),
    )
    if (unfinishedJobs === 0) return
    await once(program.child, 'said')
  }
}
