import { hostname, userInfo } from 'node:os'
import { newId, toError } from '@tailwater/core'
import type { Outbox, SqlExecutor } from '@tailwater/postgres'
import { CHANGES, type Change, type CommandChange } from '../platform/command_changes.ts'
import type { Terminal } from './terminal.ts'

/** By which the running processes hear of changes: a message of their bus. */
export interface ChangeLedger {
  outbox: Outbox
  database: SqlExecutor
}

/**
 * Records a change, so that the running processes tell of it as of one over the admin API. Where the command has no database it says so on the terminal.
 * The change is made: that it could not be recorded is told, and fails nothing.
 */
export async function recordChange(change: Change, ledger: ChangeLedger | undefined, { complain }: Terminal) {
  const told: CommandChange = { requestId: newId(), actor: whoami(), by: 'command line', ...change }
  if (!ledger) return complain(`changed: ${JSON.stringify(told)}`)
  try {
    await ledger.outbox.append(ledger.database, CHANGES, told, { broadcast: true })
  } catch (error) {
    complain(`changed, but not recorded (${toError(error).message}): ${JSON.stringify(told)}`)
  }
}

/** `ann@host`. In a container the user may have no name. */
function whoami(): string {
  return `${nameOfUser()}@${hostname()}`
}

function nameOfUser(): string {
  try {
    return userInfo().username
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`
  }
}
