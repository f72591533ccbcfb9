import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { formatSize } from '@tailwater/core'
import { type DataFolder, isInitialised, STAGE_PREFIX, writeOwned } from './data_folder.ts'
import { embeddedError, errnoOf } from './errors.ts'
import { allProcesses, beginningOf, commandLineOf, isAlive, signalProcess, workingFolderOf } from './os_process.ts'
import { lastLine, runProgram } from './program.ts'
import type { ServerUser } from './server_user.ts'

/** The superuser; the supervisor's own, so that the server always keeps a connection for it. */
export const ADMIN_ROLE = 'postgres'

/** New data takes 39 MB, and its first checkpoints as much again. */
const BYTES_NEEDED = 128 * 1024 * 1024

/**
 * Collation is by bytes and characters are those of Unicode, by PostgreSQL's own tables (`builtin`): the order of an index
 * then never depends on the C library, so an upgrade of the system cannot corrupt it, and it is the same on every system.
 */
const LOCALE = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']

/** Who may log in, and how: this machine, by password. */
const HOST_RULES = `# Made by Tailwater: this machine only, always with the password.
local   all          all                 scram-sha-256
host    all          all  127.0.0.1/32   scram-sha-256
local   replication  all                 scram-sha-256
host    replication  all  127.0.0.1/32   scram-sha-256
`

/**
 * Makes the data folder, whole or not at all: initdb runs in a folder beside it, which is renamed when it is complete.
 * Of several processes that do this at once one wins; the others throw theirs away and find its.
 *
 * @throws E_EMBEDDED_DISK_FULL, E_EMBEDDED_INIT_FAILED
 * @returns whether it was this call that made it
 */
export async function initialise(folder: DataFolder, initdb: string, user: ServerUser | undefined): Promise<boolean> {
  removeAbandoned(folder)
  refuseFullDisk(folder.root)
  const stage = join(
    folder.root,
    `${STAGE_PREFIX}${process.pid}-${beginningOf(process.pid) ?? 0}-${randomBytes(4).toString('hex')}`,
  )
  try {
    mkdirSync(stage, { mode: 0o700 })
    if (user) chownSync(stage, user.uid, user.gid)
    return await fill(stage, folder, initdb, user)
  } finally {
    rmSync(stage, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function fill(stage: string, folder: DataFolder, initdb: string, user: ServerUser | undefined): Promise<boolean> {
  const password = randomPassword()
  const passwordFile = join(stage, 'password')
  const pgdata = join(stage, 'pgdata')
  writeOwned(passwordFile, password, user)
  const args = ['-D', pgdata, '-U', ADMIN_ROLE, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', ...LOCALE]
  const { status, output } = await runProgram(initdb, args, user)
  if (status !== 0) throw initFailed(output)
  writeOwned(join(pgdata, 'pg_hba.conf'), HOST_RULES, user)
  writeOwned(join(pgdata, basename(folder.adminPasswordFile)), `${password}\n`, user)
  writeOwned(join(pgdata, basename(folder.passwordFile)), `${randomPassword()}\n`, user)
  try {
    renameSync(pgdata, folder.pgdata)
    return true
  } catch (error) {
    if (isInitialised(folder.pgdata)) return false
    throw error
  }
}

/** 192 bits, in characters that need no escaping in a URL or in SQL. */
function randomPassword(): string {
  return randomBytes(24).toString('base64url')
}

function initFailed(output: string): Error {
  if (output.includes('No space left on device'))
    return embeddedError(
      'E_EMBEDDED_DISK_FULL',
      'the disk is full: free some space, or name a data folder on another disk (DATA_DIR)',
      { output },
    )
  const fault = output.split('\n').find((line) => /error|fatal/i.test(line)) ?? lastLine(output)
  return embeddedError('E_EMBEDDED_INIT_FAILED', `initdb failed: ${fault.trim()}`, { output })
}

function refuseFullDisk(root: string): void {
  const { bavail, bsize } = statfsSync(root)
  if (bavail * bsize >= BYTES_NEEDED) return
  throw embeddedError(
    'E_EMBEDDED_DISK_FULL',
    `${formatSize(bavail * bsize)} are free in ${root}, a new database needs ${formatSize(BYTES_NEEDED)}: free some space, or name another folder (DATA_DIR)`,
  )
}

/** Throws away what initialisations left behind that were killed half way. */
function removeAbandoned({ root }: DataFolder): void {
  for (const name of readdirSync(root)) {
    const [, pid, beginning] = /^initialising-(\d+)-(\w+)-/.exec(name) ?? []
    if (!pid || (isAlive(Number(pid)) && (beginningOf(Number(pid)) ?? '0') === beginning)) continue
    const stage = join(root, name)
    try {
      endWriters(stage)
      rmSync(stage, { recursive: true, force: true, maxRetries: 5 })
    } catch (error) {
      // What still writes there could not be found: a later initialisation takes it away.
      if (errnoOf(error) !== 'ENOTEMPTY') throw error
    }
  }
}

/** An initdb whose Node was killed goes on, and with it the server that it works with. */
function endWriters(stage: string): void {
  for (const pid of allProcesses()) {
    const isInitdb = commandLineOf(pid)?.some((word) => word.startsWith(stage))
    if (isInitdb || workingFolderOf(pid)?.startsWith(stage)) signalProcess(pid, 'SIGKILL')
  }
}
