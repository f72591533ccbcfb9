import { spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { type Clock, sleep } from '@tailwater/core'
import type { DataFolder } from './data_folder.ts'
import { embeddedError } from './errors.ts'
import { signalProcess } from './os_process.ts'
import { identify, isServerOf, readPostmasterFile } from './postmaster_file.ts'
import { asServerUser, cannotExecute } from './program.ts'
import { readLogFrom, turnLog } from './server_log.ts'
import type { ServerUser } from './server_user.ts'

/** How often a file or a process is looked at, in milliseconds: a start takes 50 and more. */
export const LOOK_EVERY = 5

/** What a server is launched with. */
export interface Launch {
  folder: DataFolder
  postgres: string
  args: readonly string[]
  user: ServerUser | undefined
}

/** What became of a launch. */
export type LaunchOutcome =
  | { kind: 'ready'; pid: number }
  /** Another process started a server in this folder first, or a dead one's children are still there. */
  | { kind: 'overtaken' }
  | { kind: 'port-taken' }
  | { kind: 'failed'; log: string }
  /** Not ready by the deadline, which a long recovery may need; it goes on. */
  | { kind: 'slow' }

/**
 * Starts a server in a session of its own, so that neither a Ctrl-C in the terminal nor the end of this process reaches it,
 * and waits until it accepts connections or ends.
 */
export async function launchPostmaster(
  { folder, postgres, args, user }: Launch,
  { clock, signal, deadline }: { clock: Clock; signal: AbortSignal; deadline: number },
): Promise<LaunchOutcome> {
  turnLog(folder.logFile)
  const log = openSync(folder.logFile, 'a', 0o600)
  try {
    const begin = fstatSync(log).size
    const command = asServerUser(user, postgres, args)
    const child = spawn(command.program, command.args, {
      ...command.options,
      detached: true,
      stdio: ['ignore', log, log],
    })
    child.unref()
    let ended: Error | true | undefined
    child.once('error', (cause) => {
      ended = cannotExecute(postgres, cause)
    })
    child.once('exit', () => {
      ended ??= true
    })
    while (ended === undefined) {
      const file = readPostmasterFile(folder.pgdata)
      if (file && file.pid === child.pid && ['ready', 'standby'].includes(file.status))
        return { kind: 'ready', pid: file.pid }
      if (clock.elapsed() > deadline) return { kind: 'slow' }
      await sleep(clock, LOOK_EVERY, signal)
    }
    if (ended !== true) throw ended
    return diagnose(readLogFrom(folder.logFile, begin))
  } finally {
    closeSync(log)
  }
}

function diagnose(log: string): LaunchOutcome {
  // The socket's lock file too: a killed server that its parent has not collected yet still counts as its owner.
  if (
    /lock file ".*(?:postmaster\.pid|\.lock)" (?:already exists|is empty)|shared memory block .* is still in use/.test(
      log,
    )
  )
    return { kind: 'overtaken' }
  if (/could not bind|could not create any TCP\/IP sockets/.test(log)) return { kind: 'port-taken' }
  return { kind: 'failed', log }
}

/** PostgreSQL's ways of ending: connections are cut, or the server dies and recovers at its next start, or it is killed. */
const STOP_SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const

/** Milliseconds for each way after the first. */
const STOP_PATIENCE = 3_000

/**
 * Ends the server of a folder: a fast shutdown until `deadline`, an `elapsed` reading, then harder.
 * A process that is not certainly that server is left alone.
 *
 * @throws E_EMBEDDED_STOP_FAILED
 */
export async function stopPostmaster(
  pgdata: string,
  pid: number,
  { clock, deadline }: { clock: Clock; deadline: number },
): Promise<void> {
  let until = deadline
  for (const signal of STOP_SIGNALS) {
    if (identify(pgdata, pid) === 'server') signalProcess(pid, signal)
    while (clock.elapsed() < until) {
      if (!isServerOf(pgdata, pid)) return
      await sleep(clock, LOOK_EVERY)
    }
    until = clock.elapsed() + STOP_PATIENCE
  }
  if (isServerOf(pgdata, pid))
    throw embeddedError(
      'E_EMBEDDED_STOP_FAILED',
      `PostgreSQL with pid ${pid} does not end: end it by hand (kill -9 ${pid})`,
    )
}
