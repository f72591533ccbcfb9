import { type Clock, embeddedServer, notice, sleep } from '@tailwater/core'
import {
  checkDataVersion,
  type DataFolder,
  isInitialised,
  openDataFolder,
  openSocketDir,
  readPassword,
  rememberedPort,
  rememberPort,
} from './data_folder.ts'
import { embeddedError } from './errors.ts'
import { type Hold, type HoldRefusal, takeHold } from './hold.ts'
import { initialise } from './initialise.ts'
import { findNativePackage, type NativePackage } from './native_package.ts'
import type { ResolvedEmbeddedPostgresOptions } from './options.ts'
import { findFreePort, isPortFree } from './port.ts'
import { LOOK_EVERY, launchPostmaster, startFailed, stopPostmaster } from './postmaster.ts'
import { isServerOf, type PostmasterFile, readPostmasterFile, removeStaleFile } from './postmaster_file.ts'
import { programVersion } from './program.ts'
import { serverArguments, serverSettings, settingsMark } from './server_settings.ts'
import { chooseServerUser, type ServerUser } from './server_user.ts'

/** A server that runs and that this process holds. */
export interface RunningServer {
  hold: Hold
  pid: number
  port: number
  folder: DataFolder
  socketDir: string | undefined
  password: string
  how: 'initialised' | 'started' | 'adopted'
}

/** What one attempt to bring a server up works with. */
interface Attempt {
  options: ResolvedEmbeddedPostgresOptions
  folder: DataFolder
  native: NativePackage
  user: ServerUser
  socketDir: string | undefined
  settings: Record<string, string>
  mark: string
  /** The port that must be kept: a user's choice, or one already handed out. */
  fixedPort: number | undefined
  deadline: number
  clock: Clock
  signal: AbortSignal
}

/** Milliseconds a live server may refuse connections before it is taken for sick and restarted. */
const SICK_AFTER = 10_000

/** How often another free port is tried: between finding and binding one, somebody else may take it. */
const PORT_ATTEMPTS = 5

/**
 * Brings a folder to the state "a server runs and this process holds it", from whatever it is in: absent, initialised half
 * way, stopped, crashed, running without anybody, running for others, being stopped by others.
 *
 * Nothing is locked against other processes. Each step is safe when two do it at once, because one wins
 * (a rename, PostgreSQL's own lock file, an advisory lock), and the loser looks again at what there is now.
 */
export async function bringUp(
  options: ResolvedEmbeddedPostgresOptions,
  { keepPort, signal }: { keepPort: number | undefined; signal: AbortSignal },
): Promise<RunningServer> {
  const attempt = prepare(options, keepPort, signal)
  let how: RunningServer['how'] = 'adopted'
  while (true) {
    const running = await runningServer(attempt.folder)
    if (running) {
      const hold = await holdRunning(attempt, running)
      if (hold)
        return { ...attempt, hold, pid: running.pid, port: running.port, password: readPassword(attempt.folder), how }
      how = 'adopted'
    } else {
      how = await launch(attempt)
    }
    if (attempt.clock.elapsed() > attempt.deadline)
      throw embeddedError(
        'E_EMBEDDED_START_FAILED',
        `PostgreSQL was not ready in time: see ${attempt.folder.logFile}, or give it longer (startTimeout)`,
      )
    await sleep(attempt.clock, LOOK_EVERY, signal)
  }
}

function prepare(options: ResolvedEmbeddedPostgresOptions, keepPort: number | undefined, signal: AbortSignal): Attempt {
  const { clock } = options
  const folder = openDataFolder(options.dataDir)
  const native = findNativePackage(options.nativeDir)
  const user = chooseServerUser(folder.pgdata)
  const socketDir = openSocketDir(folder, user)
  const settings = serverSettings({ ...options, socketDir })
  const fixedPort = keepPort ?? (options.port || undefined)
  const mark = settingsMark({ ...settings, port: String(options.port) }, native.postgres)
  return {
    options,
    folder,
    native,
    user,
    socketDir,
    settings,
    mark,
    fixedPort,
    deadline: clock.elapsed() + options.startTimeout,
    clock,
    signal,
  }
}

/** The server that runs in the folder, if one does; the file of one that is gone is removed. */
async function runningServer(folder: DataFolder): Promise<PostmasterFile | undefined> {
  const file = readPostmasterFile(folder.pgdata)
  if (!file) return undefined
  if (isServerOf(folder.pgdata, file)) return file
  removeStaleFile(folder.pgdata, file)
  return undefined
}

/** Makes the data if there is none, and starts a server in it; which one runs then is for the caller to see. */
async function launch(attempt: Attempt): Promise<RunningServer['how']> {
  const { folder, native, options, user } = attempt
  const version = await programVersion(native.postgres, user)
  let how: RunningServer['how'] = 'started'
  if (!isInitialised(folder.pgdata)) {
    options.onProgress('initialising')
    if (await initialise(folder, native.initdb, user)) how = 'initialised'
    publish(folder, 'initialised', undefined)
  }
  checkDataVersion(folder.pgdata, version)
  options.onProgress('starting')
  for (let attempts = 1; ; attempts++) {
    const port = attempt.fixedPort ?? (await choosePort(folder))
    if (attempt.fixedPort && !(await isPortFree(port))) throw portTaken(port)
    const args = serverArguments(folder.pgdata, port, attempt.settings, attempt.mark)
    const outcome = await launchPostmaster({ folder, postgres: native.postgres, args, user }, attempt)
    if (outcome.kind === 'overtaken') return 'adopted'
    if (outcome.kind === 'failed') throw startFailed(folder, outcome.log)
    if (outcome.kind === 'ready') {
      rememberPort(folder, port, user)
      return how
    }
    if (attempt.fixedPort || attempts === PORT_ATTEMPTS) throw portTaken(port)
  }
}

async function choosePort(folder: DataFolder): Promise<number> {
  const remembered = rememberedPort(folder)
  return remembered && (await isPortFree(remembered)) ? remembered : findFreePort()
}

function portTaken(port: number): Error {
  return embeddedError(
    'E_EMBEDDED_PORT_TAKEN',
    `port ${port} is taken: stop what listens there, or let PostgreSQL take a free one (port: 0)`,
  )
}

/**
 * Takes hold of a server found running. Undefined when there is none to hold any more, because it ended or was restarted
 * with other settings.
 */
async function holdRunning(attempt: Attempt, running: PostmasterFile): Promise<Hold | undefined> {
  const { clock, folder, signal } = attempt
  const sickAt = clock.elapsed() + SICK_AFTER
  while (true) {
    const file = readPostmasterFile(folder.pgdata)
    if (file?.pid !== running.pid || !isServerOf(folder.pgdata, file)) return undefined
    const held = file.port > 0 ? await takeHold(file.port, readPassword(folder)) : 'not-ready'
    if (typeof held === 'object') return keepIfFit(attempt, running, held)
    if (held === 'wrong-password') throw wrongPassword(folder)
    if (held === 'not-listening' && clock.elapsed() > sickAt) return replace(attempt, running)
    if (clock.elapsed() > attempt.deadline) throw notReady(attempt, held)
    await sleep(clock, LOOK_EVERY, signal)
  }
}

/** A server with other settings than ours is replaced, unless somebody else is using it. */
async function keepIfFit(attempt: Attempt, running: PostmasterFile, hold: Hold): Promise<Hold | undefined> {
  if (hold.server.mark === attempt.mark) return hold
  if (await hold.becomeLast()) {
    await replace(attempt, running)
    await hold.close().catch(() => {})
    return undefined
  }
  if (!(await hold.share())) {
    await hold.close()
    return undefined
  }
  if (notice.hasSubscribers)
    notice.publish({
      source: 'embedded-postgres',
      level: 'warn',
      message: 'the embedded PostgreSQL runs for another process with other settings; they apply when all have stopped',
    })
  return hold
}

async function replace({ clock, folder, options }: Attempt, { pid }: PostmasterFile): Promise<undefined> {
  options.onProgress('stopping-orphan')
  await stopPostmaster(folder.pgdata, pid, { clock, deadline: clock.elapsed() + options.stopTimeout })
  publish(folder, 'stopped-orphan', pid)
}

function wrongPassword({ passwordFile, pgdata }: DataFolder): Error {
  return embeddedError(
    'E_EMBEDDED_PASSWORD',
    `the server of ${pgdata} refuses the password in ${passwordFile}: put the right one back`,
  )
}

function notReady({ folder }: Attempt, refusal: HoldRefusal): Error {
  const doing = refusal === 'being-stopped' ? 'is still being stopped by another process' : 'is still recovering'
  return embeddedError(
    'E_EMBEDDED_START_FAILED',
    `PostgreSQL ${doing}: start again later, or give it longer (startTimeout); its log: ${folder.logFile}`,
  )
}

/** Tells those who listen what became of the server. */
export function publish(
  folder: DataFolder,
  change: 'initialised' | 'stopped-orphan' | 'started' | 'adopted' | 'crashed' | 'restarted' | 'stopped',
  pid: number | undefined,
): void {
  if (embeddedServer.hasSubscribers) embeddedServer.publish({ change, pid, dataDir: folder.root })
}
