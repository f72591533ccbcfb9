// npm run bench -- NAME [--json FILE] [--rounds N] [--size small|large] [--quick]
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
  jobs: async () => (await import('./jobs/jobs_bench.ts')).jobsBench,
  messaging: async () => (await import('./messaging/messaging_bench.ts')).messagingBench,
  start: async () => (await import('./start/start_bench.ts')).startBench,
  zipf: async () => (await import('./zipf/zipf_bench.ts')).zipfBench,
}

const USAGE = `npm run bench -- NAME [--json FILE] [--rounds N] [--size small|large] [--quick]

  NAME           ${Object.keys(benches).join(', ')}
  --json FILE    writes the raw figures of every round
  --rounds N     pairs of rounds, in place of what each row needs
  --size SIZE    of the generated data. Default: large
  --quick        short rounds, to try things out`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      rounds: { type: 'string' },
      size: { type: 'string', default: 'large' },
      quick: { type: 'boolean', default: false },
    },
  })
  const { size, quick } = values
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  const load = benches[positionals[0] ?? '']
  const isGood = rounds === undefined || (Number.isInteger(rounds) && rounds > 0)
  if (!load || !isGood || (size !== 'small' && size !== 'large')) throw new Error(`\n${USAGE}\n`)
  const bench = await load()
  const date = new Date()
  console.log(`${bench.name} on ${describeMachine()}`)
  const { rows, versions } = await bench.run({ rounds, size, quick, say: (line) => console.log(`  ${line}`) })
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

main().catch((error: Error) => {
  console.error(error.message.startsWith('\n') ? error.message : error)
  process.exitCode = 1
})
