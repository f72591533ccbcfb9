import { createHash, randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Bench, BenchOptions } from '../harness/bench.ts'
import { packageVersions } from '../harness/machine.ts'
import type { Measured } from '../harness/row.ts'
import type { ServerProcess } from '../harness/server_process.ts'
import { SideProcess } from '../harness/side_process.ts'
import { quantile } from '../harness/statistics.ts'
import { openBenchDatabase } from '../merchant/bench_database.ts'
import { startOurs } from '../merchant/our_server.ts'
import type { OpenLoopOutcome, OpenLoopPlan } from './open_loop.ts'
import { type SlowModel, startSlowModel } from './slow_model.ts'

const ROUNDS = 5
const PER_SECOND = 100
const LIMIT_MS = 50
/** Milliseconds that the model takes over a product. */
const THINKING = 10_000

/** `bench quality`: how soon a check is accepted while the model behind it takes 10 s. */
export const qualityBench: Bench = {
  name: 'quality',
  async run(options) {
    const database = await openBenchDatabase(options.size, options.say)
    const model = await startSlowModel(THINKING)
    try {
      const shelf = await readShelf(database.url)
      const ours = await startOurs(database, { settings: { QUALITY_CHECK_URL: model.url } })
      const row = await measure(ours, model, shelf, options).finally(() => ours.kill())
      const versions = {
        node: process.versions.node,
        postgresql: database.version,
        ...packageVersions(['tailwater'], '.'),
      }
      return { rows: [row], versions }
    } finally {
      model.close()
      await database.stop()
    }
  },
}

/** A product, and a key of its merchant. */
interface Shelved {
  id: number
  token: string
}

/** Every product that can be judged, with keys that are made for this run. */
async function readShelf(url: string): Promise<Shelved[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const merchants = await client.query<{ id: string }>('SELECT id::text FROM merchant.merchants ORDER BY id')
    const tokens = new Map(merchants.rows.map(({ id }) => [id, `tw_live_${randomBytes(32).toString('base64url')}`]))
    for (const [id, token] of tokens)
      await client.query(`INSERT INTO merchant.api_keys (merchant_id, name, hash) VALUES ($1, 'bench quality', $2)`, [
        id,
        createHash('sha256').update(token).digest(),
      ])
    const { rows } = await client.query<{ id: string; merchant: string }>(
      `SELECT id::text, merchant_id::text AS merchant FROM merchant.products WHERE status <> 'draft' ORDER BY id`,
    )
    return rows.map(({ id, merchant }) => ({ id: Number(id), token: tokens.get(merchant)! }))
  } finally {
    await client.end()
  }
}

async function measure(
  ours: ServerProcess,
  model: SlowModel,
  shelf: readonly Shelved[],
  options: BenchOptions,
): Promise<Measured> {
  const load = new SideProcess<OpenLoopPlan, OpenLoopOutcome>('bench/quality/load_process.ts')
  const times = options.quick ? { warmUp: 1_000, measure: 5_000 } : { warmUp: 5_000, measure: 20_000 }
  const perRound = (PER_SECOND * (times.warmUp + times.measure)) / 1_000
  const rounds = options.rounds ?? ROUNDS
  // A product that waits to be judged is not taken twice: each request needs one of its own.
  if (shelf.length < rounds * perRound)
    throw new Error(
      `${shelf.length} products are too few for ${rounds} rounds of ${perRound}: --size large, or --quick`,
    )
  const p99: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      const part = shelf.slice(round * perRound, (round + 1) * perRound)
      const targets = part.map(({ id, token }) => ({ path: pathOf(id), token }))
      const outcome = await load.run({ port: ours.port, targets, perSecond: PER_SECOND, ...times })
      if (outcome.wrong > 0) throw new Error(`${outcome.wrong} wrong answers, the first: ${outcome.firstWrong}`)
      await follow(ours, outcome.followed)
      const sorted = Float64Array.from(outcome.latencies).sort()
      p99.push(quantile(sorted, 0.99))
      options.say(
        `round ${round + 1}: p50 ${quantile(sorted, 0.5).toFixed(1)} ms, p99 ${p99.at(-1)!.toFixed(1)} ms, sent ${outcome.late.toFixed(1)} ms late at most; the model was asked ${model.asked} times, ${model.most} at once`,
      )
    }
  } finally {
    load.close()
  }
  if (model.asked === 0) throw new Error('the model was never asked')
  return rowOf(p99, model)
}

const pathOf = (id: number) => `/api/products/${id}/quality-check`

/** Looks up some of the jobs: each must be there, and of the kind. */
async function follow(ours: ServerProcess, followed: OpenLoopOutcome['followed']): Promise<void> {
  const jobs = new Set(followed.map(({ path }) => path))
  if (jobs.size < followed.length) throw new Error(`${followed.length} requests were answered with ${jobs.size} jobs`)
  for (let at = 0; at < followed.length; at += Math.ceil(followed.length / 20)) {
    const { path, token } = followed[at]!
    const answer = await fetch(`http://127.0.0.1:${ours.port}${path}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const job = (await answer.json()) as { kind: string }
    if (answer.status !== 200 || job.kind !== 'quality-check') throw new Error(`${path} answered ${answer.status}`)
  }
}

function rowOf(p99: number[], model: SlowModel): Measured {
  return {
    row: {
      row: 'quality accepted',
      peer: 'nobody',
      metric: `p99 of POST /api/products/:id/quality-check, open loop of ${PER_SECOND} requests/s, the model taking ${THINKING / 1_000} s`,
      unit: 'ms',
      better: 'lower',
      ours: p99,
      theirs: null,
      settings: {
        ours: 'NODE_ENV=production, CACHE=off, jobs on PostgreSQL, in the process that runs them',
        theirs: '',
      },
      checked: `every answer was a 202 with a job of its own, some of which were followed; the model had ${model.most} requests at once`,
    },
    target: { kind: 'level', atMost: LIMIT_MS },
  }
}
