import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, unlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errnoOf } from './errors.ts'
import { inspectProcess, isAlive } from './os_process.ts'

/** What `postmaster.pid` says of the server that runs in a data folder. */
export interface PostmasterFile {
  pid: number
  /** 0 while the server has not got that far. */
  port: number
  /** `starting`, `ready`, `standby` or `stopping`; empty in the first moments. */
  status: string
  text: string
}

/** Reads `postmaster.pid`; undefined when there is none. */
export function readPostmasterFile(pgdata: string): PostmasterFile | undefined {
  let text: string
  try {
    text = readFileSync(fileIn(pgdata), 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
  // The lines, in order: pid, data folder, start time, port, socket folder, address, shared memory, status.
  const lines = text.split('\n').map((line) => line.trim())
  return { pid: Math.abs(Number.parseInt(lines[0]!, 10)), port: Number(lines[3] ?? 0), status: lines[7] ?? '', text }
}

/**
 * Whether the process named in the file is that server. A pid alone proves nothing: after a crash of the machine it may
 * belong to anybody.
 *
 * With /proc the answer is certain: the program, and its working folder, which for PostgreSQL is the data
 * folder. Without it a live process counts as the server; whether it is one shows when it is asked to let us in.
 */
export function isServerOf(pgdata: string, { pid }: PostmasterFile): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isAlive(pid)) return false
  if (process.platform !== 'linux') return true
  const found = inspectProcess(pid)
  if (!found) return false
  // A postmaster's children rename themselves `postgres: …`; a pid may have come around to one of them.
  return isPostgres(found.program) && found.cwd === pgdata && !found.commandLine.startsWith('postgres: ')
}

/** Whether a program is PostgreSQL, even one replaced on disk since it was started. */
export function isPostgres(program: string): boolean {
  return basename(program.replace(/ \(deleted\)$/, '')) === 'postgres'
}

/**
 * Takes a file away whose server is gone.
 *
 * Between judging and removing, another process may have done the same and started a server. The file is therefore first
 * moved aside, where nobody else can change it, and put back if it is not the one that was judged.
 */
export function removeStaleFile(pgdata: string, stale: PostmasterFile): void {
  const aside = join(pgdata, `postmaster.pid.stale-${randomBytes(4).toString('hex')}`)
  try {
    renameSync(fileIn(pgdata), aside)
  } catch (error) {
    // Somebody else was faster.
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  if (readFileSync(aside, 'utf8') !== stale.text) putBack(aside, fileIn(pgdata))
  unlinkSync(aside)
}

function putBack(aside: string, path: string): void {
  try {
    linkSync(aside, path)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}

function fileIn(pgdata: string): string {
  return join(pgdata, 'postmaster.pid')
}
