import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, unlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errnoOf } from './errors.ts'
import { allProcesses, commandLineOf, isAlive, parentOf, workingFolderOf } from './os_process.ts'

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
  return { pid: Number.parseInt(lines[0]!, 10), port: Number(lines[3] ?? 0), status: lines[7] ?? '', text }
}

/**
 * Whether a process is the server of a data folder. A pid alone proves nothing: after a crash of the machine it may
 * belong to anybody, and must be neither trusted nor stopped.
 *
 * The server says so on its command line (`postgres -D FOLDER`), or by working in its data folder, as PostgreSQL does.
 * `'unknown'`, where the system tells neither, means: ask it to let us in, but never send it a signal.
 */
export function identify(pgdata: string, pid: number): 'server' | 'other' | 'unknown' {
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isAlive(pid)) return 'other'
  const words = commandLineOf(pid)
  if (!words) return process.platform === 'win32' ? 'unknown' : 'other'
  // A postmaster's children rename themselves `postgres: …`; a pid may have come around to one of them.
  if (!isPostgres(words[0]!)) return 'other'
  const isNamed = `${words.join(' ')} `.includes(` -D ${pgdata} `)
  return isNamed || workingFolderOf(pid) === pgdata ? 'server' : 'other'
}

/** Whether a process is the server of a data folder, as far as can be told. */
export function isServerOf(pgdata: string, pid: number): boolean {
  return identify(pgdata, pid) !== 'other'
}

/**
 * The children of a server that is dead: they end by themselves unless a statement keeps them busy, and as long as one
 * is left no new server starts.
 */
export function orphansOf(pgdata: string): number[] {
  return allProcesses().filter((pid) => {
    if (workingFolderOf(pid) !== pgdata || !commandLineOf(pid)?.[0]?.startsWith('postgres: ')) return false
    const parent = parentOf(pid)
    return parent !== undefined && identify(pgdata, parent) === 'other'
  })
}

function isPostgres(program: string): boolean {
  return /^postgres(\.exe)?$/.test(basename(program))
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
