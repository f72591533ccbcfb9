import { toError } from '@tailwater/core'
import type { JobEnd } from '../job.ts'
import { storable } from '../label.ts'
import { LONGEST_DELAY } from '../moment.ts'
import type { Attempt } from './attempt.ts'
import { Snooze } from './snooze.ts'

/** Characters of an error that are kept with its job. */
const MAX_ERROR = 4_000
/** Lines of its stack that are kept. */
const MAX_STACK = 12
/** Milliseconds before the next attempt when the kind's own backoff fails. */
const FALLBACK_DELAY = 60_000

/** Codes that say by themselves that another attempt cannot help. */
const permanentCodes = new Set(['E_JOB_PAYLOAD', 'E_JOB_PAYLOAD_SIZE', 'E_JOB_KIND'])

/** What a thrown value makes of an attempt. `report` is told when the kind's backoff fails itself. */
export function endOfFailure(
  attempt: Attempt,
  thrown: unknown,
  report: (error: Error) => void,
): { end: JobEnd; error: Error | undefined } {
  const { id, attempt: number } = attempt.claimed
  if (thrown instanceof Snooze)
    return { end: { id, attempt: number, outcome: 'snoozed', delay: atMostLongest(thrown.delay) }, error: undefined }
  const error = attempt.abortReason && isItsAbort(attempt.abortReason, thrown) ? attempt.abortReason : toError(thrown)
  const end = { id, attempt: number, error: describeError(error) }
  if (codeOf(error) === 'E_JOB_CANCELLED') return { end: { ...end, outcome: 'cancelled' }, error }
  if (isPermanent(error)) return { end: { ...end, outcome: 'dead' }, error }
  return { end: { ...end, outcome: 'failed', delay: delayOf(attempt, error, report) }, error }
}

/** Whether the handler only passed on that it was told to stop. A job that somebody cancelled is cancelled, however its handler ended. */
function isItsAbort(reason: Error, thrown: unknown): boolean {
  const code = codeOf(reason)
  return (
    code === 'E_JOB_CANCELLED' ||
    code === 'E_JOB_TIMEOUT' ||
    thrown === reason ||
    (thrown instanceof Error && thrown.name === 'AbortError')
  )
}

function isPermanent(error: Error): boolean {
  return (error as { retryable?: unknown }).retryable === false || permanentCodes.has(codeOf(error) ?? '')
}

function delayOf({ claimed, definition }: Attempt, error: Error, report: (error: Error) => void): number {
  if (claimed.attempt >= claimed.maxAttempts) return 0
  try {
    return atMostLongest(definition.waiting(claimed.attempt, error))
  } catch (thrown) {
    report(toError(thrown))
    return FALLBACK_DELAY
  }
}

/** A store that could not put a job off so far would refuse the whole turn, and every other end with it. */
const atMostLongest = (delay: number) => Math.min(delay, LONGEST_DELAY)

/** An error as it is kept with a job: code and message, the stack below it. */
export function describeError(error: Error): string {
  try {
    const head = `${codeOf(error) ?? error.name}: ${error.message}`
    const stack = String(error.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
    return storable([head, ...stack.slice(0, MAX_STACK)].join('\n').slice(0, MAX_ERROR))
  } catch (thrown) {
    return `Error: the handler threw an error that cannot be read: ${storable(toError(thrown).message)}`.slice(
      0,
      MAX_ERROR,
    )
  }
}

function codeOf(error: Error): string | undefined {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}
