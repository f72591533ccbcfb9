import { randomBytes } from 'node:crypto'
import { linkSync, readdirSync, readFileSync, renameSync, unlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errnoOf } from './errors.ts'
import { allProcesses, commandLineOf, isAlive, isKernelThread, parentOf, workingFolderOf } from './os_process.ts'

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
  const text = readIfThere(fileIn(pgdata))
  if (text === undefined) return undefined
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
  // A process that is ending has no command line any more.
  if (words.length === 0) return isKernelThread(pid) ? 'other' : 'unknown'
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

/** Takes the file of a server away that is gone. */
export function removeStaleFile(pgdata: string, stale: PostmasterFile): void {
  removeIfUnchanged(fileIn(pgdata), stale.text)
}

/**
 * Takes the locks of sockets away whose server is gone. PostgreSQL believes such a lock as long as there is any process
 * of that pid, even one that has ended and not been collected.
 */
export function removeStaleSocketLocks(pgdata: string, socketDir: string | undefined): void {
  if (!socketDir) return
  for (const name of readdirSync(socketDir).filter((file) => /^\.s\.PGSQL\.\d+\.lock$/.test(file))) {
    const path = join(socketDir, name)
    const text = readIfThere(path)
    if (text !== undefined && !isServerOf(pgdata, Number.parseInt(text, 10))) removeIfUnchanged(path, text)
  }
}

/**
 * Removes a file unless it has changed.
 *
 * Between judging and removing, another process may have done the same and started a server. The file is therefore first
 * moved aside, where nobody else can change it, and put back if it is not the one that was judged.
 */
function removeIfUnchanged(path: string, judged: string): void {
  const aside = `${path}.stale-${randomBytes(4).toString('hex')}`
  try {
    renameSync(path, aside)
  } catch (error) {
    // Somebody else was faster.
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  if (readFileSync(aside, 'utf8') !== judged) putBack(aside, path)
  unlinkSync(aside)
}

function putBack(aside: string, path: string): void {
  try {
    linkSync(aside, path)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function fileIn(pgdata: string): string {
  return join(pgdata, 'postmaster.pid')
}
