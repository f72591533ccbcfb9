import { accessSync, chmodSync, constants, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beginningOf, isAlive } from '../embedded/os_process.ts'
import { identify, readPostmasterFile } from '../embedded/postmaster_file.ts'

const PREFIX = 'tailwater-test-'

/**
 * Linux's file system in memory. A test kills processes, not machines: what was written survives there as well, and
 * tests don't wait for a busy disk.
 */
const MEMORY = '/dev/shm'

/** Bytes that must be free in memory: several servers of 60 MB and more, in containers that allow 64 MB in all. */
const MEMORY_NEEDED = 1024 * 1024 * 1024

/**
 * Makes a temporary folder for a server of one test. Its name says which process made it, so that what a killed test
 * left behind, its server included, is swept away by the next.
 */
export function makePrivateFolder(): string {
  const base = hasMemory() ? MEMORY : tmpdir()
  sweep(base)
  const dir = mkdtempSync(join(base, `${PREFIX}${process.pid}-${beginningOf(process.pid) ?? 0}-`))
  // A server that root starts runs as somebody else, and has to pass through.
  chmodSync(dir, 0o711)
  return dir
}

function hasMemory(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK)
    const { bavail, bsize } = statfsSync(MEMORY)
    return bavail * bsize >= MEMORY_NEEDED
  } catch {
    // Not Linux.
    return false
  }
}

/** Takes a folder away, and the server that may still run in it. */
export function removePrivateFolder(dir: string): void {
  killServer(join(dir, 'pgdata'))
  // Children of the server may be writing their last files.
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 })
}

function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const [, pid, beginning] = new RegExp(`^${PREFIX}(\\d+)-(\\d+)-`).exec(name) ?? []
    if (!pid || (isAlive(Number(pid)) && (beginningOf(Number(pid)) ?? '0') === beginning)) continue
    try {
      removePrivateFolder(join(base, name))
    } catch {
      // Of another user, or its server is not quite gone: a later sweep takes it.
    }
  }
}

function killServer(pgdata: string): void {
  const file = readPostmasterFile(pgdata)
  if (file && identify(pgdata, file.pid) === 'server') process.kill(file.pid, 'SIGKILL')
}
