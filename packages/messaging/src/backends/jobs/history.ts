import type { DeathReason } from '../../backend/consume_port.ts'
import type { AttemptNote } from '../../message.ts'

/** Notes that are kept of a message, the newest ones, and characters of each. */
const MAX_NOTES = 20
const MAX_ERROR = 1_000
const MAX_STACK = 2_000

/** What the error of a message's job tells. */
export interface History {
  readonly reason: DeathReason
  readonly notes: readonly AttemptNote[]
}

/** As the error of a job: for people first, and in its last line for us. */
export function encodeHistory(reason: DeathReason | undefined, notes: readonly AttemptNote[]): string {
  const kept = notes.slice(-MAX_NOTES).map((note) => ({
    ...note,
    error: note.error.slice(0, MAX_ERROR),
    ...(note.stack !== undefined && { stack: note.stack.slice(0, MAX_STACK) }),
  }))
  const last = kept.at(-1)
  const head = last ? `${last.code ?? 'Error'}: ${last.error}` : (reason ?? 'attempts')
  return `${head.replaceAll('\0', '')}\n${JSON.stringify({ reason, notes: kept })}`
}

/** Reads it back; an error that somebody else wrote (a buried job, an operator's tool) is a reason, too. */
export function decodeHistory(error: string | undefined): History {
  if (error === undefined) return { reason: 'attempts', notes: [] }
  if (error.startsWith('E_JOB_POISON')) return { reason: 'poison', notes: [] }
  try {
    const told = JSON.parse(error.slice(error.lastIndexOf('\n') + 1)) as Partial<History>
    if (Array.isArray(told.notes)) return { reason: told.reason ?? 'attempts', notes: told.notes }
  } catch {
    // Not one of ours.
  }
  return { reason: 'attempts', notes: [] }
}
