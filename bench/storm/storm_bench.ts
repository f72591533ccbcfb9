import type { Bench, BenchOptions } from '../harness/bench.ts'
import { packageVersions } from '../harness/machine.ts'
import { formatNumber } from '../harness/report.ts'
import type { Measured, Row, Target } from '../harness/row.ts'
import { median } from '../harness/statistics.ts'
import { CONCURRENCY, KEPT, PER_TENANT } from './storm_engine.ts'
import { playStorm, type StormOutcome, type StormSample, storeDelayed } from './storm_run.ts'
import { type StormStore, startStormPostgres, startStormRedis } from './storm_store.ts'
import { type Manner, stormTenants, type Tenant } from './tenants.ts'
import { WaitCounts } from './wait_counts.ts'

const ROUNDS = 2
const WHOLE = { delayed: 1_000_000, duration: 60_000, every: 1_000, burst: 5_000 }
const QUICK = { delayed: 20_000, duration: 8_000, every: 500, burst: 2_000 }
/** Share of the memory at the end that must have been there after the first quarter already. */
const FLAT = 0.85

interface Round {
  fair: StormOutcome
  plain: StormOutcome
}

/** `bench storm`: one queue, a million delayed jobs, and tenants of which some behave badly. */
export const stormBench: Bench = {
  name: 'storm',
  async run(options) {
    const rows: Measured[] = []
    for (const start of [startStormRedis, startStormPostgres]) {
      const store = await start()
      try {
        rows.push(...(await measure(store, options)))
      } finally {
        await store.close()
      }
    }
    return { rows, versions: { node: process.versions.node, ...packageVersions(['tailwater'], '.') } }
  },
}

async function measure(store: StormStore, { quick, rounds = ROUNDS, say }: BenchOptions): Promise<Measured[]> {
  const { delayed, duration, every, burst } = quick ? QUICK : WHOLE
  const tenants = stormTenants(burst)
  say(`${store.name}: storing ${formatNumber(delayed)} delayed jobs …`)
  const bytes = await storeDelayed(store, delayed)
  say(`${store.name}: ${formatNumber(bytes)} bytes each`)
  const all: Round[] = []
  for (let round = 0; round < rounds; round++) {
    const play = async (fair: boolean) => {
      const outcome = await playStorm(store, { tenants, fair, duration, every })
      say(`${store.name}, ${fair ? 'tenants held apart' : 'first come, first served'}: ${lineOf(outcome, tenants)}`)
      return outcome
    }
    // Taking turns in who begins, as everywhere.
    const first = await play(round % 2 === 0)
    const second = await play(round % 2 !== 0)
    all.push(round % 2 === 0 ? { fair: first, plain: second } : { fair: second, plain: first })
  }
  return rowsOf(store, tenants, bytes, all)
}

/** One line of fairness, lag and memory. */
function lineOf(outcome: StormOutcome, tenants: readonly Tenant[]): string {
  const { samples, drained } = outcome
  const waits = (['steady', 'burst', 'slow', 'failing'] as const).map((manner) => {
    const counts = waitsOf(outcome, tenants, manner)
    return `${manner} ${formatNumber(counts.quantile(0.5))}/${formatNumber(counts.quantile(0.99))} ms`
  })
  const last = samples.at(-1)!
  return [
    `waited (p50/p99) ${waits.join(', ')}`,
    `share of the most even ${formatNumber(evenness(outcome, tenants))}`,
    `lag at most ${formatNumber(Math.max(...samples.map(({ lag }) => lag)))} ms`,
    `drained in ${formatNumber(drained)} ms`,
    `heap ${megabytes(last.heap)}, RSS ${megabytes(last.rss)}, store ${megabytes(last.bytes)} for ${formatNumber(last.jobs)} jobs`,
  ].join('; ')
}

const megabytes = (bytes: number) => `${formatNumber(bytes / 2 ** 20)} MB`

function waitsOf({ during }: StormOutcome, tenants: readonly Tenant[], manner: Manner): WaitCounts {
  return tenants
    .filter((tenant) => tenant.manner === manner)
    .reduce((sum, { name }) => sum.plus(new WaitCounts(during[name]?.waits)), new WaitCounts())
}

/** Jain's index over what steady tenants got of what they had asked for: 1 when all got the same share. */
function evenness({ during, enqueued }: StormOutcome, tenants: readonly Tenant[]): number {
  const shares = tenants
    .filter(({ manner }) => manner === 'steady')
    .map(({ name }) => (during[name]?.attempts ?? 0) / enqueued[name]!)
  const sum = shares.reduce((total, share) => total + share, 0)
  return sum ** 2 / (shares.length * shares.reduce((total, share) => total + share ** 2, 0))
}

/** What there was after the first quarter, as a share of what there was in the last. */
function flatness(samples: readonly StormSample[], figure: (sample: StormSample) => number): number {
  const quarter = Math.max(1, Math.floor(samples.length / 4))
  const early = median(samples.slice(quarter, 2 * quarter).map(figure))
  return early / median(samples.slice(-quarter).map(figure))
}

function rowsOf(store: StormStore, tenants: readonly Tenant[], delayed: number, rounds: readonly Round[]): Measured[] {
  const limits = `one queue, ${CONCURRENCY} places, ${KEPT} finished jobs kept; ${store.settings}`
  const row = (
    { metric, unit, better, target }: Pick<Row, 'metric' | 'unit' | 'better'> & { target?: Target },
    figure: (outcome: StormOutcome) => number,
    isCompared = true,
  ): Measured => ({
    row: {
      row: 'jobs storm',
      peer: 'first come, first served',
      metric: `${metric}, ${store.name}`,
      unit,
      better,
      ours: rounds.map(({ fair }) => figure(fair)),
      theirs: isCompared ? rounds.map(({ plain }) => figure(plain)) : null,
      settings: {
        ours: `tenants take turns, ${PER_TENANT} places for one at most; ${limits}`,
        theirs: `no limits; ${limits}`,
      },
      checked: 'attempts of each tenant: all that it enqueued, a failing one three times',
    },
    ...(target && { target }),
  })
  const wait = (manner: Manner, share: number) => (outcome: StormOutcome) =>
    waitsOf(outcome, tenants, manner).quantile(share)
  const flat: Target = { kind: 'count', atLeast: FLAT }
  const share = { unit: 'of the end', better: 'higher', target: flat } as const
  return [
    row({ metric: 'wait of a steady tenant, p50', unit: 'ms', better: 'lower' }, wait('steady', 0.5)),
    row({ metric: 'wait of a steady tenant, p99', unit: 'ms', better: 'lower' }, wait('steady', 0.99)),
    row({ metric: 'wait of a burst, p50', unit: 'ms', better: 'lower' }, wait('burst', 0.5)),
    row({ metric: 'evenness of steady tenants (Jain)', unit: '', better: 'higher' }, (outcome) =>
      evenness(outcome, tenants),
    ),
    row({ metric: 'longest lag', unit: 'ms', better: 'lower' }, ({ samples }) =>
      Math.max(...samples.map(({ lag }) => lag)),
    ),
    row({ metric: 'until all is done', unit: 'ms', better: 'lower' }, ({ drained }) => drained),
    row(
      { metric: 'heap of the worker after a quarter', ...share },
      ({ samples }) => flatness(samples, ({ heap }) => heap),
      false,
    ),
    row(
      { metric: 'RSS of the worker after a quarter', ...share },
      ({ samples }) => flatness(samples, ({ rss }) => rss),
      false,
    ),
    row(
      { metric: 'bytes of a job after a quarter', ...share },
      ({ samples }) => flatness(samples, ({ bytes, jobs }) => bytes / jobs),
      false,
    ),
    row({ metric: 'bytes of a delayed job', unit: 'bytes', better: 'lower' }, () => delayed, false),
  ]
}
