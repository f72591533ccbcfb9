import { systemClock } from '@tailwater/core'
import { describeStartFailure } from 'tailwater'
import { runMerchant } from './program/run_merchant.ts'

runMerchant({
  args: process.argv.slice(2),
  folder: process.cwd(),
  output: process.stdout,
  clock: systemClock,
}).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`\n  ${describeStartFailure(error)}\n\n`)
    process.exit(1)
  },
)
