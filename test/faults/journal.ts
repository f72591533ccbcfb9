import { appendFileSync } from 'node:fs'

/** The seeds of a fault test: one in `npm test`, all in `npm run test:faults`. */
export function seeds(all: readonly number[]): readonly number[] {
  return process.env['TAILWATER_TEST_ALL_SEEDS'] ? all : all.slice(0, 1)
}

/** Notes what one run of a fault test counted, for the dated report. */
export function record(run: {
  fault: string
  seed: number
  mustHold: string
  figures: Record<string, number | string>
}): void {
  const journal = process.env['TAILWATER_TEST_FAULT_JOURNAL']
  if (journal) appendFileSync(journal, `${JSON.stringify(run)}\n`)
}
