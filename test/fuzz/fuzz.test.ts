import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { after, before, it } from 'node:test'
import { type Program, startProgram, temporaryFolder } from '../../apps/merchant/test/program/program.ts'
import { record, seeds } from '../faults/journal.ts'
import { randomIntegers } from '../faults/random.ts'
import { type BadRequest, badRequest } from './bad_requests.ts'
import { type Operation, operationsOf } from './operations.ts'

/** Bad requests to each route. */
const PER_ROUTE = 2_000
/** Requests at once. */
const LANES = 24
/** Milliseconds in which every answer must have come. */
const ANSWER_TIME = 2_000
/** Full collections before a look at the process's memory: pages are given back a moment after they are free. */
const COLLECTIONS = 5
/** Bytes by which the process may have grown at the end, beyond what the first tenth of the requests took. */
const MAX_GROWTH = 50 * 1024 * 1024
/** Share of the requests with a good token that may be taken for a stranger's: with more, the routes behind the gate were not tested. */
const MOST_STRANGERS = 0.01
const PASSWORD = 'correct horse battery staple'

const folder = temporaryFolder()
after(() => folder.remove())
let program: Program & { url: string }
let operations: Operation[]
let inspector: string
let tokens: { admin: string; merchant: string }
after(() => void program?.child.kill('SIGKILL'))

before(async () => {
  const started = startProgram({
    DATA_DIR: folder.path,
    TAILWATER_ADMIN_PASSWORD: PASSWORD,
    TRUSTED_PROXIES: '127.0.0.1',
    API_RATE: '0',
    LOG_LEVEL: 'debug',
    NODE_OPTIONS: '--inspect=127.0.0.1:0',
  })
  inspector = (await started.says(/listening on (ws:\S+)/))[1]!
  const [, url] = await started.says(/API {9}(http:\S+)\/api\/products/)
  program = { ...started, url: url! }
  const merchant = (await started.says(/API key {5}(\S+)/))[1]!
  const { token: admin } = await post('/tailwater/api/auth/token', { email: 'admin@localhost', password: PASSWORD })
  assert.equal(typeof admin, 'string')
  // A key of its own, whose number no request names: the first one is among what the requests revoke.
  const { key } = await post('/api/api-keys', { name: 'fuzz' }, merchant)
  assert.equal(typeof key, 'string')
  tokens = { admin: String(admin), merchant: String(key) }
  operations = operationsOf(await (await fetch(`${url}/tailwater/api/openapi.json`)).json())
})

async function post(path: string, body: object, token?: string): Promise<Record<string, string>> {
  const answer = await fetch(`${program.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  })
  return (await answer.json()) as Record<string, string>
}

const agent = new Agent({ keepAlive: true, maxSockets: LANES })
after(() => agent.destroy())

interface Answer {
  status: number
  type: string
  text: string
}

/** Sends exactly what is given; rejects when no answer has begun within the time. */
function send({ method, target, headers, body }: BadRequest): Promise<Answer> {
  const { hostname, port } = new URL(program.url)
  return new Promise((resolve, reject) => {
    const sent = request({
      agent,
      hostname,
      port,
      method,
      path: target,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
      timeout: ANSWER_TIME,
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${ANSWER_TIME} ms`)))
    sent.on('error', reject)
    sent.on('response', (response) => void readAnswer(response).then(resolve, reject))
    sent.end(body)
  })
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const type = response.headers['content-type'] ?? ''
  const status = response.statusCode ?? 0
  if (type.startsWith('text/event-stream')) {
    response.destroy()
    return { status, type, text: '' }
  }
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status, type, text: response.headers['content-encoding'] ? '' : Buffer.concat(chunks).toString() }
}

/** What is wrong with an answer to a bad request; undefined when nothing is. */
function faultIn({ status, type, text }: Answer): string | undefined {
  if (status >= 500) return `answered ${status}`
  if (status < 400) return undefined
  if (!type.startsWith('application/problem+json')) return `${status} is no problem but ${type}`
  if (text === '') return undefined
  const problem = JSON.parse(text) as { status: number; code: string; errors?: { path: string }[] }
  if (problem.status !== status || !/^E_[A-Z_]+$/.test(problem.code))
    return `a problem without its status and code: ${text}`
  if (problem.code === 'E_VALIDATION' && !problem.errors?.every(({ path }) => path.startsWith('/')))
    return `a validation problem without paths: ${text}`
  return /\bat [^ ]+ \(|\.ts:\d+|node_modules|node:internal|at or near|relation \\?"/.test(text)
    ? `shows internals: ${text.slice(0, 300)}`
    : undefined
}

/** Good tokens where the route asks for one, except where a request would end the token itself. */
function tokensFor({ path, needsCaller }: Operation): (string | undefined)[] {
  const bad = [undefined, 'x', 'eyJhbGciOiJub25lIn0.e30.', `${tokens.merchant}x`]
  if (!needsCaller || /\/auth\//.test(path)) return bad
  const good = path.startsWith('/api') ? [tokens.merchant, tokens.merchant, tokens.admin] : [tokens.admin]
  return [...bad, ...good, ...good, ...good, ...good]
}

/** Fails with its last words when the program has ended. */
function assertAlive(): void {
  assert.equal(program.child.exitCode ?? program.child.signalCode, null, program.output().slice(-3_000))
}

function residentBytes(): number {
  assertAlive()
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.child.pid}/status`, 'utf8'))![1]) * 1_024
}

/**
 * Bytes of memory after the garbage is collected: the collector leaves hundreds of megabytes to a program that nobody else wants them from, and what is
 * looked for is what a program cannot give back.
 */
async function heldBytes(): Promise<number> {
  const socket = new WebSocket(inspector)
  await once(socket, 'open')
  const samples: number[] = []
  for (let id = 1; id <= COLLECTIONS; id++) {
    const answered = once(socket, 'message')
    socket.send(JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' }))
    await answered
    samples.push(residentBytes())
  }
  socket.close()
  return Math.min(...samples)
}

/** What came of many bad requests. */
interface Bombardment {
  statuses: Map<number, number>
  faults: string[]
  /** Requests with a good token, and those of them that were answered as if it were none (401) or opened too little (403). */
  signedIn: number
  strangers: number
}

async function bombard(list: readonly { operation: Operation; index: number }[], seed: number): Promise<Bombardment> {
  const statuses = new Map<number, number>()
  const isGood = new Set([tokens.admin, tokens.merchant].map((token) => `Bearer ${token}`))
  let signedIn = 0
  let strangers = 0
  const faults: string[] = []
  const queue = list[Symbol.iterator]()
  const lane = async () => {
    for (const { operation, index } of queue) {
      const bad = badRequest(operation, {
        random: randomIntegers(seed * 1_000_003 + index),
        tokens: tokensFor(operation),
      })
      const outcome = await send(bad).catch((error: Error) => error)
      const fault = outcome instanceof Error ? outcome.message : faultIn(outcome)
      if (!(outcome instanceof Error)) statuses.set(outcome.status, (statuses.get(outcome.status) ?? 0) + 1)
      if (isGood.has(bad.headers['authorization'] ?? '')) {
        signedIn++
        if (!(outcome instanceof Error) && (outcome.status === 401 || outcome.status === 403)) strangers++
      }
      if (fault && faults.length < 20)
        faults.push(
          `${fault}: ${JSON.stringify({ ...bad, target: bad.target.slice(0, 200), body: String(bad.body ?? '').slice(0, 200) })}`,
        )
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return { statuses, faults, signedIn, strangers }
}

for (const seed of seeds([1, 2]))
  it(`${PER_ROUTE} bad requests to each route are answered, each with a problem and none with a 5xx (seed ${seed})`, async () => {
    const all = operations.flatMap((operation, at) =>
      Array.from({ length: PER_ROUTE }, (_, index) => ({ operation, index: at * PER_ROUTE + index })),
    )
    const order = all.toSorted((a, b) => (a.index % PER_ROUTE) - (b.index % PER_ROUTE))
    const warmUp = Math.floor(order.length / 10)
    const first = await bombard(order.slice(0, warmUp), seed)
    assertAlive()
    const held = await heldBytes()
    const rest = await bombard(order.slice(warmUp), seed)
    assertAlive()
    const growth = (await heldBytes()) - held
    const counts = Object.fromEntries(
      [...rest.statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => [`answers ${status}`, count]),
    )
    const strangers = (first.strangers + rest.strangers) / (first.signedIn + rest.signedIn)
    record({
      fault: 'bad input to every route',
      seed,
      mustHold: 'No 5xx, no answer over 2 s, growth of RSS < 50 MB, no secret in the log.',
      figures: {
        routes: operations.length,
        requests: order.length,
        ...counts,
        'good tokens refused, %': Math.round(strangers * 1_000) / 10,
        'growth MB': Math.round(growth / 2 ** 20),
      },
    })
    assert.deepEqual([...first.faults, ...rest.faults], [])
    assert.ok(strangers < MOST_STRANGERS, `${strangers} of the requests with a good token were refused as a stranger's`)
    assert.ok(growth < MAX_GROWTH, `grew by ${Math.round(growth / 2 ** 20)} MB`)
    for (const secret of [
      PASSWORD,
      tokens.admin,
      tokens.merchant,
      readFileSync(`${folder.path}/secret`, 'utf8').trim(),
    ])
      assert.equal(
        program
          .output()
          .replace(/API key .*/, '')
          .includes(secret),
        false,
        'a secret is in the log',
      )
  })
