import { databaseQuery } from '@tailwater/core'
import { fingerprint } from './fingerprint.ts'

/** What is told of a finished statement. */
interface FinishedRun {
  text: string
  label: string | undefined
  requestId: string | undefined
  /** Milliseconds. */
  elapsed: number
}

/** Publishes a finished statement; called behind `hasSubscribers`. */
export function publishQuery(
  run: FinishedRun,
  target: 'primary' | 'replica',
  error: Error | undefined,
  rows: number,
): void {
  databaseQuery.publish({
    requestId: run.requestId,
    name: run.label,
    fingerprint: fingerprint(run.text),
    text: run.text,
    ms: run.elapsed,
    rows,
    target,
    error: error ? codeOf(error) : undefined,
  })
}

/** What the server calls it when a connection is lost without a word. */
const CONNECTION_FAILURE = '08006'

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : CONNECTION_FAILURE
}
