import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beginningOf, isAlive } from '../embedded/os_process.ts'
import { identify, readPostmasterFile } from '../embedded/postmaster_file.ts'

const PREFIX = 'tailwater-test-'

/**
 * Makes a temporary folder for a server of one test. Its name says which process made it, so that what a killed test
 * left behind, its server included, is swept away by the next.
 */
export function makePrivateFolder(): string {
  sweep()
  const dir = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-${beginningOf(process.pid) ?? 0}-`))
  // A server that root starts runs as somebody else, and has to pass through.
  chmodSync(dir, 0o711)
  return dir
}

/** Takes a folder away; a server may still be writing its last files. */
export function removePrivateFolder(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 })
}

function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, pid, beginning] = new RegExp(`^${PREFIX}(\\d+)-(\\d+)-`).exec(name) ?? []
    if (!pid || (isAlive(Number(pid)) && (beginningOf(Number(pid)) ?? '0') === beginning)) continue
    const dir = join(tmpdir(), name)
    killServer(join(dir, 'pgdata'))
    try {
      removePrivateFolder(dir)
    } catch {
      // Of another user, or its server is not quite gone: a later sweep takes it.
    }
  }
}

function killServer(pgdata: string): void {
  try {
    const file = readPostmasterFile(pgdata)
    if (file && identify(pgdata, file.pid) === 'server') process.kill(file.pid, 'SIGKILL')
  } catch {
    // Of another user, or ended by itself meanwhile.
  }
}
