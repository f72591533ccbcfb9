import { canReadCpuTime, cpuSeconds } from '../harness/cpu_time.ts'
import { formatNumber } from '../harness/report.ts'
import { runPairs } from '../harness/rounds.ts'
import type { Measured } from '../harness/row.ts'
import type { Address, LoadOutcome } from '../load/plan.ts'
import type { MerchantStage } from './merchant_bench.ts'
import { OUR_SETTINGS } from './our_server.ts'
import { type NearAndFar, walkTo } from './product_pages.ts'

const CONNECTIONS = 100
/** More than elsewhere, and shorter: the target is near 1, and what others do on the machine shall hit both rounds of a pair alike. */
const ROUNDS = 15
const SEED = 1_000
const FAR_PAGE = 1_000
/** Milliseconds. */
const ROUND = { warmUp: 500, measure: 4_000 }
/** Before the first round, for each page: its statement prepared and its code compiled, or whichever is measured first pays for both. */
const FIRST_WARM_UP = { warmUp: 0, measure: 4_000 }
const QUICK_ROUND = { warmUp: 500, measure: 2_000 }

interface Outcome extends LoadOutcome {
  /** Seconds of CPU of our process and of PostgreSQL for one request. */
  cpu: number
}

/** Measures `merchant page`: whether a page far behind costs what the first costs. */
export async function measurePage(stage: MerchantStage): Promise<Measured[]> {
  const { options, ours } = stage
  options.say(`Walking to page ${FAR_PAGE} …`)
  const pages = await walkTo(ours.port, FAR_PAGE)
  for (const address of [pages.far, pages.near])
    await round(stage, address, options.quick ? QUICK_ROUND : FIRST_WARM_UP)
  const rounds = await runPairs(
    options.rounds ?? ROUNDS,
    { ours: () => round(stage, pages.far), theirs: () => round(stage, pages.near) },
    (done, outcome) =>
      options.say(
        `pair ${done}: page ${pages.number} ${formatNumber(outcome.ours.requestsPerSecond)}, page 1 ${formatNumber(outcome.theirs.requestsPerSecond)} requests/s`,
      ),
  )
  return rowsOf(rounds, pages)
}

async function round(
  { load, ours, database, options }: MerchantStage,
  address: Address,
  times = options.quick ? QUICK_ROUND : ROUND,
): Promise<Outcome> {
  const plan = { port: ours.port, connections: CONNECTIONS, addresses: [address], seed: SEED }
  const before = cpuNow([ours.pid, database.pid])
  const outcome = await load.run({ ...plan, ...times })
  // Over the whole round, warm-up and drain included, and so over all its requests.
  return { ...outcome, cpu: (cpuNow([ours.pid, database.pid]) - before) / outcome.answered }
}

function cpuNow(pids: readonly number[]): number {
  return canReadCpuTime ? cpuSeconds(pids) : Number.NaN
}

function rowsOf({ ours, theirs }: { ours: Outcome[]; theirs: Outcome[] }, pages: NearAndFar): Measured[] {
  const settings = Object.entries(OUR_SETTINGS)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
  const which = `page ${formatNumber(pages.number)} against page 1, ${CONNECTIONS} connections`
  const common = {
    row: 'merchant page',
    peer: 'itself',
    settings: {
      ours: `${settings}; page ${formatNumber(pages.number)} of 20 of the unfiltered list, all fields, by the cursor of the page before`,
      theirs: `${settings}; page 1 of the same list`,
    },
    checked: `no row repeated on the walk to page ${formatNumber(pages.number)}; status and length of every answer, every 50th body whole`,
  }
  const speed = (outcome: Outcome) => outcome.requestsPerSecond
  const cpu = (outcome: Outcome) => outcome.cpu * 1_000
  return [
    {
      row: {
        ...common,
        metric: `requests/s, ${which}`,
        unit: 'requests/s',
        better: 'higher',
        ours: ours.map(speed),
        theirs: theirs.map(speed),
      },
      target: { kind: 'ratio', atLeast: 0.9 },
    },
    ...(canReadCpuTime
      ? [
          {
            row: {
              ...common,
              metric: `CPU of Node and PostgreSQL for a request, ${which}`,
              unit: 'ms',
              better: 'lower' as const,
              ours: ours.map(cpu),
              theirs: theirs.map(cpu),
            },
          },
        ]
      : []),
  ]
}
