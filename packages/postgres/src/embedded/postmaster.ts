import { spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs'
import { type Clock, sleep } from '@tailwater/core'
import type { DataFolder } from './data_folder.ts'
import { embeddedError } from './errors.ts'
import { isServerOf, readPostmasterFile } from './postmaster_file.ts'
import { cannotExecute, spawnIdentity } from './program.ts'
import type { ServerUser } from './server_user.ts'

/** How often a file or a process is looked at, in milliseconds: a start takes 50 and more. */
export const LOOK_EVERY = 5

/** Bytes of a log that is kept; at a start beyond it, it is put aside and the one before it goes. */
const LOG_MAX = 5 * 1024 * 1024

/** Bytes of the log's end that an error carries. */
const LOG_TAIL = 2_000

/** What became of a launch. */
export type LaunchOutcome =
  | { kind: 'ready'; pid: number }
  /** Another process started a server in this folder first. */
  | { kind: 'overtaken' }
  | { kind: 'port-taken' }
  | { kind: 'failed'; log: string }

/**
 * Starts a server in a session of its own, so that neither a Ctrl-C in the terminal nor the end of this process reaches it,
 * and waits until it accepts connections or ends.
 */
export async function launchPostmaster(
  { folder, postgres, args, user }: { folder: DataFolder; postgres: string; args: readonly string[]; user: ServerUser },
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<LaunchOutcome> {
  turnLog(folder.logFile)
  const log = openSync(folder.logFile, 'a', 0o600)
  try {
    const begin = fstatSync(log).size
    const child = spawn(postgres, args, {
      ...spawnIdentity(user),
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log, log],
    })
    let ended: Error | true | undefined
    child.once('error', (cause) => {
      ended = cannotExecute(postgres, cause)
    })
    child.once('exit', () => {
      ended ??= true
    })
    while (ended === undefined) {
      const file = readPostmasterFile(folder.pgdata)
      if (file && file.pid === child.pid && file.status === 'ready') {
        child.unref()
        return { kind: 'ready', pid: file.pid }
      }
      await sleep(clock, LOOK_EVERY, signal)
    }
    if (ended !== true) throw ended
    return diagnose(readFrom(folder.logFile, begin))
  } finally {
    closeSync(log)
  }
}

function diagnose(log: string): LaunchOutcome {
  if (/lock file ".*postmaster\.pid" already exists|shared memory block .* is still in use/.test(log))
    return { kind: 'overtaken' }
  if (/could not bind|could not create any TCP\/IP sockets/.test(log)) return { kind: 'port-taken' }
  return { kind: 'failed', log }
}

/** The error of a server that ended before it was ready, with the last of its log. */
export function startFailed(folder: DataFolder, log: string): Error {
  if (log.includes('No space left on device'))
    return embeddedError(
      'E_EMBEDDED_DISK_FULL',
      `the disk of ${folder.root} is full: free some space and start again`,
      { log },
    )
  const fault = log.split('\n').find((line) => /FATAL|PANIC/.test(line)) ?? log.trim().split('\n').at(-1)
  const reason = fault?.replace(/^.*?(FATAL|PANIC):\s*/, '').trim() || 'it said nothing'
  return embeddedError(
    'E_EMBEDDED_START_FAILED',
    `PostgreSQL did not start: ${reason} (the whole log: ${folder.logFile})`,
    { log },
  )
}

function readFrom(path: string, begin: number): string {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const from = Math.max(begin, size - LOG_TAIL)
    const bytes = Buffer.alloc(size - from)
    readSync(file, bytes, 0, bytes.length, from)
    return bytes.toString('utf8')
  } finally {
    closeSync(file)
  }
}

function turnLog(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_MAX) renameSync(path, `${path}.1`)
}

/** PostgreSQL's ways of ending: connections are cut, or the server dies and recovers at its next start, or it is killed. */
const STOP_SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const

/** Milliseconds for each way after the first. */
const STOP_PATIENCE = 3_000

/**
 * Ends the server of a folder: a fast shutdown until `deadline`, an `elapsed` reading, then harder.
 *
 * @throws E_EMBEDDED_STOP_FAILED
 */
export async function stopPostmaster(
  pgdata: string,
  pid: number,
  { clock, deadline }: { clock: Clock; deadline: number },
): Promise<void> {
  const runs = () => {
    const file = readPostmasterFile(pgdata)
    return isServerOf(pgdata, file?.pid === pid ? file : { pid, port: 0, status: '', text: '' })
  }
  let until = deadline
  for (const signal of STOP_SIGNALS) {
    if (!runs()) return
    process.kill(pid, signal)
    while (clock.elapsed() < until) {
      if (!runs()) return
      await sleep(clock, LOOK_EVERY)
    }
    until = clock.elapsed() + STOP_PATIENCE
  }
  if (runs())
    throw embeddedError(
      'E_EMBEDDED_STOP_FAILED',
      `PostgreSQL with pid ${pid} does not end: end it by hand (kill -9 ${pid})`,
    )
}
