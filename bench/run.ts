// npm run bench -- NAME [--json FILE] [--rounds N] [--size small|large] [--quick] [--only PARTS] [--amount N]
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Bench } from './harness/bench.ts'
import { describeMachine } from './harness/machine.ts'
import { reportOf } from './harness/report.ts'
import { resultOf, writeResult } from './harness/result_file.ts'

/** Read when asked for: each needs only its own peers. */
const benches: Record<string, () => Promise<Bench>> = {
  cache: async () => (await import('./cache/cache_bench.ts')).cacheBench,
  http: async () => (await import('./http/http_bench.ts')).httpBench,
  merchant: async () => (await import('./merchant/merchant_bench.ts')).merchantBench,
  marketplace: async () => (await import('./marketplace/marketplace_bench.ts')).marketplaceBench,
  jobs: async () => (await import('./jobs/jobs_bench.ts')).jobsBench,
  quality: async () => (await import('./quality/quality_bench.ts')).qualityBench,
  messaging: async () => (await import('./messaging/messaging_bench.ts')).messagingBench,
  start: async () => (await import('./start/start_bench.ts')).startBench,
  storm: async () => (await import('./storm/storm_bench.ts')).stormBench,
  zipf: async () => (await import('./zipf/zipf_bench.ts')).zipfBench,
}

const USAGE = `npm run bench -- NAME [--json FILE] [--rounds N] [--size small|large] [--quick] [--only PARTS] [--amount N]

  NAME           ${Object.keys(benches).join(', ')}
  --json FILE    writes the raw figures of every round
  --rounds N     pairs of rounds, in place of what each row needs
  --size SIZE    of the generated data. Default: large
  --quick        short rounds, to try things out
  --only PARTS   some of the parts of a bench, separated by commas
  --amount N     of what a part is about that goes by amounts: jobs that go through one table`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      rounds: { type: 'string' },
      size: { type: 'string', default: 'large' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      amount: { type: 'string' },
    },
  })
  const { size, quick } = values
  const [rounds, amount] = [values.rounds, values.amount].map((given) => (given === undefined ? given : Number(given)))
  const load = benches[positionals[0] ?? '']
  const areGood = [rounds, amount].every((given) => given === undefined || (Number.isInteger(given) && given > 0))
  if (!load || !areGood || (size !== 'small' && size !== 'large')) throw new Error(`\n${USAGE}\n`)
  const bench = await load()
  const only = partsOf(bench, values.only)
  const date = new Date()
  console.log(`${bench.name} on ${describeMachine()}`)
  const { rows, versions } = await bench.run({
    rounds,
    size,
    quick,
    only,
    amount,
    say: (line) => console.log(`  ${line}`),
  })
  console.log(`\n${reportOf(rows)}\n`)
  if (values.json === undefined) return
  const file = resolve(values.json)
  writeResult(
    file,
    resultOf(
      rows.map(({ row }) => row),
      versions,
      date,
    ),
  )
  console.log(`written: ${file}`)
}

/** Parts that were asked for; undefined for what the bench measures unasked. */
function partsOf({ name, parts = [] }: Bench, given: string | undefined): string[] | undefined {
  const asked = given?.split(',')
  const unknown = asked?.find((part) => !parts.includes(part))
  if (unknown === undefined) return asked
  throw new Error(`\n'${unknown}' is no part of ${name}; its parts: ${parts.join(', ') || 'none'}\n`)
}

main().catch((error: Error) => {
  console.error(error.message.startsWith('\n') ? error.message : error)
  process.exitCode = 1
})
