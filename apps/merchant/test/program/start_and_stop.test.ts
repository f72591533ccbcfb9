import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { after, it } from 'node:test'
import { type Program, startProgram, temporaryFolder } from './program.ts'

const folder = temporaryFolder()
after(() => folder.remove())
const running: Program[] = []
after(() => {
  for (const { child } of running) child.kill('SIGKILL')
})

async function start(environment: Record<string, string> = {}, args: string[] = []) {
  const program = startProgram({ DATA_DIR: folder.path, API_RATE: '0', ...environment }, { args })
  running.push(program)
  const [, url] = await program.says(/API {9}(http:\S+)\/api\/products/)
  await program.says(/Ctrl-C stops everything/)
  return { ...program, url: url! }
}

/** The process id that PostgreSQL has written down; undefined once it has stopped as it should. */
function postmasterPid(): number | undefined {
  const path = `${folder.path}/postgres/pgdata/postmaster.pid`
  return existsSync(path) ? Number(readFileSync(path, 'utf8').split('\n')[0]) : undefined
}

let apiKey = ''

it('the first start loads data, makes an administrator, and shows how to get in', async () => {
  const program = await start()
  const [, password] = await program.says(/Password {4}(\S+)/)
  apiKey = (await program.says(/API key {5}(\S+)/))[1]!
  const products = await (await fetch(`${program.url}/api/products?limit=1`)).json()
  assert.equal(products.data.length, 1)
  const login = await fetch(`${program.url}/tailwater/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-tailwater': '1', origin: program.url },
    body: JSON.stringify({ email: 'admin@localhost', password }),
  })
  assert.equal(login.status, 200, await login.text())
  const secret = readFileSync(`${folder.path}/secret`, 'utf8').trim()
  assert.equal(program.output().includes(secret), false)
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})

it('a second start keeps the data and asks for nothing, and says that it loads no other', async () => {
  const program = await start({}, ['--data', 'other.csv'])
  assert.match(program.output(), /Data {8}not loaded from \S+other\.csv: the database has data already/)
  assert.doesNotMatch(program.output(), /Password|API key/)
  const { data } = await (await fetch(`${program.url}/api/products?limit=1`)).json()
  assert.equal(data.length, 1)
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})

it('checkouts in flight at Ctrl-C end with 2xx, though the signal comes three times, and PostgreSQL stops too', async () => {
  const program = await start()
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const ask = async (path: string) => (await fetch(program.url + path, { headers })).json()
  const [customer] = (await ask('/api/customers?limit=1')).data
  const products = (await ask('/api/products?limit=100')).data as {
    id: number
    merchantId: number
    available: number
  }[]
  const mine = products.filter(({ merchantId, available }) => merchantId === customer.merchantId && available > 60)
  assert.ok(mine.length > 0)
  const placeOne = (index: number) =>
    fetch(`${program.url}/api/orders`, {
      method: 'POST',
      headers: { ...headers, 'idempotency-key': randomUUID() },
      body: JSON.stringify({
        customerId: customer.id,
        lines: [{ productId: mine[index % mine.length]!.id, quantity: 1 }],
        payment: { token: 'tok_visa' },
      }),
    })
  const checkouts = Array.from({ length: 60 }, (_, index) => placeOne(index))
  // The first answer says that the others have reached the server.
  await Promise.race(checkouts)
  for (let times = 0; times < 3; times++) program.child.kill('SIGINT')
  const statuses = (await Promise.all(checkouts)).map((response) => response.status)
  assert.deepEqual(new Set(statuses), new Set([201]), statuses.join(' '))
  assert.equal(await program.ended, 0)
  assert.equal(postmasterPid(), undefined)
})

it('a start after kill -9 takes over the PostgreSQL that was left running, and what it served is there', async () => {
  const killed = await start()
  const pid = postmasterPid()
  killed.child.kill('SIGKILL')
  assert.equal(await killed.ended, 'SIGKILL')
  assert.equal(postmasterPid(), pid)
  const program = await start()
  assert.match(
    program.output(),
    /Taking over the PostgreSQL that runs already|Stopping a PostgreSQL that was left behind/,
  )
  assert.equal((await (await fetch(`${program.url}/api/products?limit=1`)).json()).data.length, 1)
  program.child.kill('SIGINT')
  assert.equal(await program.ended, 0)
  assert.equal(postmasterPid(), undefined)
})

it('Ctrl-C in the middle of the first start stops everything, PostgreSQL included', async () => {
  const other = temporaryFolder()
  after(() => other.remove())
  const program = startProgram({ DATA_DIR: other.path })
  running.push(program)
  await program.says(/Applying \d+ migrations/)
  program.child.kill('SIGINT')
  program.child.kill('SIGINT')
  assert.equal(await program.ended, 0, program.output())
  assert.match(program.output(), /not everything has started/)
  assert.equal(existsSync(`${other.path}/postgres/pgdata/postmaster.pid`), false)
})
