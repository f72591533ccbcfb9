import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { startRedis } from '@tailwater/redis/testing'
import pg from 'pg'
import type { Bench, BenchOptions } from '../harness/bench.ts'
import { packageVersions } from '../harness/machine.ts'
import { root } from '../harness/project.ts'
import { formatNumber } from '../harness/report.ts'
import type { Measured, Target } from '../harness/row.ts'
import { openBenchDatabase } from '../merchant/bench_database.ts'
import type { ServedReport, ShopPlan, ZipfOutcome, ZipfPlan } from './zipf_plan.ts'

const ROUNDS = 3
const EXPONENT = 0.9
const WRITES = 0.05
const CONNECTIONS = 8
const NEAR_ENTRIES = 5_000
const MEASURE = 60_000
const QUICK_MEASURE = 10_000
const SEED = 20_261_125

interface Round {
  served: ServedReport
  outcome: ZipfOutcome
}

/** `bench zipf`: where the merchant's products come from when few of them are asked for often and most hardly ever, from a cold start on. */
export const zipfBench: Bench = {
  name: 'zipf',
  async run(options) {
    const database = await openBenchDatabase(options.size, options.say)
    try {
      const ids = await rankedProducts(database.url)
      const rounds: Round[] = []
      for (let round = 1; round <= (options.rounds ?? ROUNDS); round++) {
        rounds.push(await runRound(database.url, ids, options))
        sayRound(rounds.at(-1)!, options)
      }
      const versions = {
        node: process.versions.node,
        postgresql: database.version,
        ...packageVersions(['tailwater'], '.'),
      }
      return { rows: rowsOf(rounds, ids.length), versions }
    } finally {
      await database.stop()
    }
  },
}

/** Open products; what sells best is asked for most, and in no order of what was never sold. */
async function rankedProducts(url: string): Promise<number[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ id: number }>(
      `SELECT p.id::float8 AS id FROM merchant.products p
       LEFT JOIN (SELECT product_id, count(*) AS sold FROM merchant.order_lines GROUP BY product_id) l ON l.product_id = p.id
       WHERE p.status <> 'draft' ORDER BY coalesce(l.sold, 0) DESC, md5(p.id::text)`,
    )
    return rows.map(({ id }) => id)
  } finally {
    await client.end()
  }
}

/** Cold each time: a new Redis, a new process. */
async function runRound(databaseUrl: string, ids: readonly number[], { quick }: BenchOptions): Promise<Round> {
  const redis = await startRedis()
  const shop = start('bench/zipf/shop_process.ts')
  const load = start('bench/zipf/zipf_load.ts')
  try {
    const plan: ShopPlan = { databaseUrl, redisUrl: redis.url, nearEntries: NEAR_ENTRIES }
    const { port, token } = await ask<{ port: number; token: string }>(shop, plan)
    const answer = await ask<{ outcome: ZipfOutcome } | { error: string }>(load, {
      port,
      token,
      ids,
      exponent: EXPONENT,
      writes: WRITES,
      connections: CONNECTIONS,
      measure: quick ? QUICK_MEASURE : MEASURE,
      seed: SEED,
    } satisfies ZipfPlan)
    if ('error' in answer) throw new Error(`the load broke off: ${answer.error}`)
    const { outcome } = answer
    if (outcome.wrong > 0) throw new Error(`${outcome.wrong} wrong answers`)
    if (outcome.outdated > 0) throw new Error(`${outcome.outdated} reads were older than a change answered before them`)
    const { served } = await ask<{ served: ServedReport }>(shop, 'report')
    return { served, outcome }
  } finally {
    load.disconnect()
    await ended(shop)
    await redis.stop()
  }
}

function start(file: string): ChildProcess {
  return fork(join(root, file), [], { stdio: 'inherit' })
}

async function ask<T>(child: ChildProcess, message: object | string): Promise<T> {
  child.send(message)
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`${child.spawnfile} ended with ${code}`)
  })
  const [answer] = await Promise.race([once(child, 'message'), exited])
  exited.catch(() => undefined)
  return answer as T
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.disconnect()
  await exited
}

const hitShare = ({ reads, near, far, stale }: ServedReport) => ((near + far + stale) / reads) * 100

function sayRound({ served, outcome }: Round, { say }: BenchOptions): void {
  const share = (count: number) => `${((count / served.reads) * 100).toFixed(1)} %`
  say(
    `${formatNumber(served.reads)} reads of ${formatNumber(outcome.products)} products: near ${share(served.near + served.stale)}, far ${share(served.far)}, database ${share(served.source)}; ${formatNumber(served.writes)} changes; ${formatNumber(outcome.requestsPerSecond)} requests/s`,
  )
}

function rowsOf(rounds: readonly Round[], products: number): Measured[] {
  const row = (
    metric: string,
    unit: string,
    better: 'higher' | 'lower',
    figure: (round: Round) => number,
    target?: Target,
  ): Measured => ({
    row: {
      row: 'merchant zipf',
      peer: 'nobody',
      metric,
      unit,
      better,
      ours: rounds.map(figure),
      theirs: null,
      settings: {
        ours: `Zipf ${EXPONENT} over ${formatNumber(products)} products in the order of what sold, ${WRITES * 100} % of the requests change a price, ${CONNECTIONS} connections; near tier of ${formatNumber(NEAR_ENTRIES)} entries, far tier in Redis, both empty at the start; reads over HTTP alone are counted, from the first on`,
        theirs: '',
      },
      checked: 'status and id of every answer; no read older than a change that was answered before it began',
    },
    ...(target && { target }),
  })
  return [
    row('requests that missed both tiers', '%', 'lower', ({ served }) => 100 - hitShare(served), {
      kind: 'level',
      atMost: 15,
    }),
    row('reads from the near tier', '%', 'higher', ({ served }) => ((served.near + served.stale) / served.reads) * 100),
    row('reads from the far tier', '%', 'higher', ({ served }) => (served.far / served.reads) * 100),
    row('p95 of a read from the far tier, in the server', 'ms', 'lower', ({ served }) => served.farP95, {
      kind: 'level',
      atMost: 5,
    }),
    row('p95 of a read from the near tier, in the server', 'ms', 'lower', ({ served }) => served.nearP95),
    row('p95 of a read from the database, in the server', 'ms', 'lower', ({ served }) => served.sourceP95),
    row(
      'refused by the protection from overload',
      '%',
      'lower',
      ({ outcome }) => (outcome.refused / outcome.requests) * 100,
    ),
    row('requests/s', 'requests/s', 'higher', ({ outcome }) => outcome.requestsPerSecond),
  ]
}
