import { formatNumber } from '../harness/report.ts'
import { runPairs } from '../harness/rounds.ts'
import type { Measured, Row, Target } from '../harness/row.ts'
import type { Address, LoadOutcome } from '../load/plan.ts'
import type { MerchantStage } from './merchant_bench.ts'
import { OUR_SETTINGS, startOurs } from './our_server.ts'
import { FIELDS, findSamePages, type SamePages } from './product_pages.ts'

const CONNECTIONS = 100
const ROUNDS = 5
const SEED = 20_261_122

/** Milliseconds. A request of the naive version takes seconds under this load: its rounds are longer, or they would count few. */
const OUR_ROUND = { warmUp: 2_000, measure: 10_000 }
const THEIR_ROUND = { warmUp: 4_000, measure: 16_000 }
/** Before the first round: our code compiled, the database's pages in memory. */
const FIRST_WARM_UP = { warmUp: 0, measure: 8_000 }
const QUICK_ROUND = { warmUp: 500, measure: 3_000 }

/** One row of the product list: what of it is kept, and what it has to show. */
interface Variant {
  row: string
  settings: Record<string, string>
  /** Of requests per second over those of the naive version. */
  atLeast: number
  /** Milliseconds of the 95th percentile. */
  atMost: number
  /** Said of ours. */
  kept: string
}

const UNCACHED: Variant = {
  row: 'merchant uncached',
  settings: OUR_SETTINGS,
  atLeast: 70,
  atMost: 60,
  kept: 'no cache of responses or rows',
}

const CACHED: Variant = {
  row: 'merchant cached',
  settings: { ...OUR_SETTINGS, CACHE: 'on' },
  atLeast: 100,
  atMost: 30,
  kept: 'pages kept for a minute, and forgotten with the commit of what changes them; all of them asked for once before',
}

/** Measures `merchant uncached`. */
export function measureUncached(stage: MerchantStage): Promise<Measured[]> {
  return measureList(stage, UNCACHED)
}

/** Measures `merchant cached`, on a server of its own with the caches on. */
export async function measureCached(stage: MerchantStage): Promise<Measured[]> {
  const ours = await startOurs(stage.database, { settings: CACHED.settings })
  try {
    const rows = await measureList({ ...stage, ours }, CACHED)
    await ours.stop()
    return rows
  } finally {
    ours.kill()
  }
}

async function measureList(stage: MerchantStage, variant: Variant): Promise<Measured[]> {
  const { options, ours, naive } = stage
  options.say('Comparing the answers of both sides …')
  const pages = await findSamePages({ ours: ours.port, theirs: naive.port })
  options.say(`The same ${pages.ours.length} pages of ${pages.categories} categories on both sides.`)
  const round = (port: number, addresses: readonly Address[], times: typeof OUR_ROUND) =>
    stage.load.run({
      port,
      addresses,
      connections: CONNECTIONS,
      seed: SEED,
      ...(options.quick ? QUICK_ROUND : times),
    })
  await round(ours.port, pages.ours, FIRST_WARM_UP)
  await round(naive.port, pages.theirs, FIRST_WARM_UP)
  const rounds = await runPairs(
    options.rounds ?? ROUNDS,
    {
      ours: () => round(ours.port, pages.ours, OUR_ROUND),
      theirs: () => round(naive.port, pages.theirs, THEIR_ROUND),
    },
    (done, outcome) =>
      options.say(`pair ${done}: ours ${sayOutcome(outcome.ours)}; naive ${sayOutcome(outcome.theirs)}`),
  )
  return rowsOf(variant, rounds, pages)
}

type Rounds = { ours: LoadOutcome[]; theirs: LoadOutcome[] }

function sayOutcome({ requestsPerSecond, p95, cpuShare }: LoadOutcome): string {
  return `${formatNumber(requestsPerSecond)} requests/s, p95 ${formatNumber(p95)} ms (load process: ${Math.round(cpuShare * 100)} % of a core)`
}

function rowsOf(variant: Variant, rounds: Rounds, pages: SamePages): Measured[] {
  const common = commonOf(variant, rounds, pages)
  const row = (
    metric: string,
    unit: string,
    better: Row['better'],
    figure: (outcome: LoadOutcome) => number,
    target?: Target,
  ): Measured => ({
    row: { ...common, metric, unit, better, ours: rounds.ours.map(figure), theirs: rounds.theirs.map(figure) },
    ...(target && { target }),
  })
  const latency = (name: 'p50' | 'p95' | 'p99', target?: Target) =>
    row(`${name}, ${CONNECTIONS} connections`, 'ms', 'lower', (outcome) => outcome[name], target)
  return [
    row(`requests/s, ${CONNECTIONS} connections`, 'requests/s', 'higher', (outcome) => outcome.requestsPerSecond, {
      kind: 'ratio',
      atLeast: variant.atLeast,
    }),
    latency('p95', { kind: 'level', atMost: variant.atMost }),
    latency('p50'),
    latency('p99'),
  ]
}

function commonOf(variant: Variant, rounds: Rounds, pages: SamePages) {
  const bodies = [...rounds.ours, ...rounds.theirs].reduce((total, { bodiesChecked }) => total + bodiesChecked, 0)
  const settings = Object.entries(variant.settings).map(([name, value]) => `${name}=${value}`)
  const list = `a random category of ${pages.categories}, its first 5 pages of 20, fields ${FIELDS}`
  return {
    row: variant.row,
    peer: 'naive Express',
    settings: {
      ours: `${settings.join(' ')}, otherwise as npm start, which reaches PostgreSQL over its Unix socket, as theirs does here; ${list}, pages by cursor; ${variant.kept}`,
      theirs: `NODE_ENV=production, Express 5 with its defaults, pool of 10, 42 statements a request, on a copy of the very same tables (columns, types, data) with primary and foreign keys only, SELECT *; ${list}, pages by OFFSET; no cache, no log`,
    },
    checked: `${pages.ours.length} pages of both sides compared first: the same rows, order, fields, values and totals; then status and length of every answer, and ${bodies} whole bodies`,
  }
}
