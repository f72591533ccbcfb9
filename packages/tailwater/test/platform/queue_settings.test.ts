import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { Tailwater } from 'tailwater'
import { changeOf } from '../../src/platform/queue_settings.ts'
import { openPair, until } from './open_platform.ts'

const who = { who: 'ada', reason: 'sale starts at noon' }

/** Two processes of one application with one queue. */
const openMail = () =>
  openPair({
    jobs: {
      queues: {
        mail: { concurrency: 1, attempts: 3, timeout: '30s', limits: { rate: { count: 10, per: '1s' }, fair: true } },
      },
    },
  })

/** Limits and retention as all processes share them. */
interface StoredPolicy {
  rate_count: number | null
  key_rate_count: number | null
  key_rate_per: number | null
  fair: boolean
  retention: { completed: { age: number } }
}

async function storedPolicy({ database, config }: Tailwater) {
  const { rows } = await database.query<{ policy: string }>(
    `SELECT to_jsonb(q)::text AS policy FROM ${config.schema}.jobs_queues q WHERE name = 'mail'`,
  )
  return JSON.parse(rows[0]!.policy) as StoredPolicy
}

it('attempts, timeout, rate and time kept are changed in every process without a restart, and the change is audited', async () => {
  const [a, b] = await openMail()
  const kinds = [a, b].map((tw) => tw.jobs.define<null>({ kind: 'letter', queue: 'mail', run: async () => {} }))
  for (const tw of [a, b]) await tw.start()
  const stored = async (index: 0 | 1) => {
    const job = await [a, b][index]!.jobs.inspect.get(await kinds[index]!.enqueue(null))
    return [job?.maxAttempts, job?.timeout]
  }
  assert.deepEqual(await stored(1), [3, 30_000])
  await a.settings.set('jobs.mail.attempts', 8, who)
  await a.settings.set('jobs.mail.timeout', '5s', who)
  assert.deepEqual(await stored(0), [8, 5_000])
  await until(async () => String(await stored(1)) === '8,5000')
  await b.settings.reset('jobs.mail.attempts', who)
  await until(async () => String(await stored(0)) === '3,5000')
  const [latest] = await a.settings.history({ name: 'jobs.mail.attempts' })
  assert.deepEqual([latest?.who, latest?.old, latest?.reason], ['ada', 8, 'sale starts at noon'])
})

it('both processes begin more jobs at once when one of them is told so', async () => {
  const [a, b] = await openMail()
  const gate = Promise.withResolvers<void>()
  after(() => gate.resolve())
  let running = 0
  const define = ({ jobs }: Tailwater) =>
    jobs.define<null>({
      kind: 'letter',
      queue: 'mail',
      async run() {
        running++
        await gate.promise
      },
    })
  const [kind] = [define(a), define(b)]
  for (const tw of [a, b]) await tw.start()
  await kind!.enqueueMany([null, null, null, null])
  await until(async () => running === 2)
  await a.settings.set('jobs.mail.concurrency', 2, who)
  await until(async () => running === 4)
  gate.resolve()
})

it('a limit is let go and set, others of the queue stay, and what a process is started with later is what the settings say', async () => {
  const [a, b] = await openMail()
  await a.start()
  assert.equal((await storedPolicy(a)).rate_count, 10)
  await a.settings.set('jobs.mail.rate', 'none', who)
  await a.settings.set('jobs.mail.keyRate', '7/1m', who)
  await a.settings.set('jobs.mail.keep', '1h', who)
  const wanted = { rate: null, keyRate: [7, 60_000], fair: true, keep: 3_600_000 }
  const seen = async (tw: Tailwater) => {
    const { rate_count, key_rate_count, key_rate_per, fair, retention } = await storedPolicy(tw)
    return { rate: rate_count, keyRate: [key_rate_count, key_rate_per], fair, keep: retention.completed.age }
  }
  await until(async () => isDeepStrictEqual(await seen(a), wanted))
  await b.start()
  assert.deepEqual(await seen(b), wanted)
})

it('none takes a limit of the code away, configured brings it back, and a backoff is written as it is read', () => {
  const configured = { timeout: '30s', limits: { rate: { count: 10, per: '1s' }, perKey: { concurrency: 2 } } } as const
  const nothing = {
    concurrency: undefined,
    attempts: undefined,
    backoff: undefined,
    timeout: undefined,
    rate: undefined,
    keyRate: undefined,
    keyConcurrency: undefined,
    keep: undefined,
  }
  assert.deepEqual(changeOf(nothing, configured), { limits: configured.limits })
  const none = { ...nothing, timeout: null, rate: null, keyConcurrency: null }
  assert.deepEqual(changeOf(none, configured), { timeout: undefined, limits: { perKey: {} } })
})

it('a timeout and a backoff of the code are taken away and changed while jobs come in', async () => {
  const [a] = await openMail()
  const kind = a.jobs.define<null>({
    kind: 'letter',
    queue: 'mail',
    async run() {
      throw new Error('no')
    },
  })
  await a.start()
  await a.settings.set('jobs.mail.timeout', 'none', who)
  await a.settings.set('jobs.mail.backoff', 'fixed 1ms to 1ms', who)
  const id = await kind.enqueue(null)
  assert.equal((await a.jobs.inspect.get(id))?.timeout, undefined)
  await until(async () => (await a.jobs.inspect.get(id))?.state === 'dead')
})

const [refusing] = await openMail()
await refusing.start()

for (const [name, value] of [
  ['rate', '10 a second'],
  ['rate', '0/1s'],
  ['backoff', 'quadratic 1s'],
  ['attempts', 0],
  ['timeout', 'soon'],
  ['keep', '31d'],
  ['concurrency', -1],
] as const)
  it(`refuses ${JSON.stringify(value)} for ${name}`, async () => {
    await assert.rejects(refusing.settings.set(`jobs.mail.${name}`, value, who), { code: 'E_OPTIONS' })
  })
