import { databaseQuery } from '@tailwater/core'
import { fingerprint } from './fingerprint.ts'
import type { StatementRun } from './statement_run.ts'

/** Publishes a finished statement; called behind `hasSubscribers`. */
export function publishQuery(
  run: StatementRun,
  target: 'primary' | 'replica',
  error: Error | null,
  rows: number,
): void {
  databaseQuery.publish({
    requestId: run.requestId,
    name: run.name,
    fingerprint: fingerprint(run.text),
    text: run.text,
    ms: run.elapsed,
    rows,
    target,
    error: error ? codeOf(error) : undefined,
  })
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'ECONNLOST'
}
