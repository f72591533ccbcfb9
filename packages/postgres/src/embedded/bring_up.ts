import { type Clock, notice, sleep } from '@tailwater/core'
import {
  checkContents,
  checkDataVersion,
  type DataFolder,
  isInitialised,
  openDataFolder,
  openSocketDir,
  readPasswords,
  rememberedPort,
  rememberPort,
} from './data_folder.ts'
import { embeddedError } from './errors.ts'
import { type Hold, type HoldRefusal, takeHold } from './hold.ts'
import { initialise } from './initialise.ts'
import { findNativePackage, type NativePackage } from './native_package.ts'
import type { ResolvedEmbeddedPostgresOptions } from './options.ts'
import { signalProcess } from './os_process.ts'
import { findFreePort, isPortFree } from './port.ts'
import { LOOK_EVERY, launchPostmaster, stopPostmaster } from './postmaster.ts'
import {
  identify,
  isServerOf,
  orphansOf,
  type PostmasterFile,
  readPostmasterFile,
  removeStaleFile,
  removeStaleSocketLocks,
} from './postmaster_file.ts'
import { programVersion } from './program.ts'
import { publish, type RunningServer } from './running_server.ts'
import { startFailed } from './server_log.ts'
import { serverArguments, serverSettings, settingsMark } from './server_settings.ts'
import { chooseServerUser, type ServerUser } from './server_user.ts'

/** What one attempt to bring a server up works with. */
interface Attempt {
  options: ResolvedEmbeddedPostgresOptions
  folder: DataFolder
  native: NativePackage
  user: ServerUser | undefined
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

/** Milliseconds for the children of a dead server to end by themselves. */
const ORPHAN_PATIENCE = 500

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
  const { folder, clock } = attempt
  let how: RunningServer['how'] = 'adopted'
  while (true) {
    const running = runningServer(folder)
    if (running) {
      if (how === 'adopted') options.onProgress('adopting')
      const hold = await holdRunning(attempt, running, how !== 'adopted')
      if (hold) return { ...attempt, hold, pid: running.pid, port: hold.port, passwords: readPasswords(folder), how }
      how = 'adopted'
    } else {
      how = await launch(attempt)
    }
    if (clock.elapsed() > attempt.deadline) throw notReady(attempt)
    await sleep(clock, LOOK_EVERY, signal)
  }
}

function prepare(options: ResolvedEmbeddedPostgresOptions, keepPort: number | undefined, signal: AbortSignal): Attempt {
  const { clock } = options
  const folder = openDataFolder(options.dataDir)
  const native = findNativePackage(options.nativeDir)
  const user = chooseServerUser(folder.pgdata, native.postgres)
  checkContents(folder)
  const socketDir = openSocketDir(folder, user)
  const settings = serverSettings({ ...options, socketDir })
  const fixedPort = keepPort ?? (options.port || undefined)
  const mark = settingsMark({ ...settings, port: String(options.port) }, native.postgres)
  const deadline = clock.elapsed() + options.startTimeout
  return { options, folder, native, user, socketDir, settings, mark, fixedPort, deadline, clock, signal }
}

/** The server that runs in the folder, if one does; the file of one that is gone is removed. */
function runningServer(folder: DataFolder): PostmasterFile | undefined {
  const file = readPostmasterFile(folder.pgdata)
  if (!file) return undefined
  if (isServerOf(folder.pgdata, file.pid)) return file
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
    if (await initialise(folder, native.initdb, user)) {
      publish(folder, 'initialised')
      how = 'initialised'
    }
  }
  checkDataVersion(folder.pgdata, version)
  removeStaleSocketLocks(folder.pgdata, attempt.socketDir)
  options.onProgress('starting')
  return (await launchOnPort(attempt)) === 'ready' ? how : 'adopted'
}

async function launchOnPort(attempt: Attempt): Promise<'ready' | 'overtaken'> {
  const { folder, native, fixedPort, user } = attempt
  for (let attempts = 1; ; attempts++) {
    const port = fixedPort ?? (await choosePort(folder))
    if (fixedPort && !(await isPortFree(port))) {
      // By another process's server in this very folder, perhaps: that one will do.
      if (runningServer(folder)) return 'overtaken'
      throw portTaken(port)
    }
    const args = serverArguments(folder.pgdata, port, attempt.settings, attempt.mark)
    const outcome = await launchPostmaster({ folder, postgres: native.postgres, args, user }, attempt)
    switch (outcome.kind) {
      case 'ready':
        rememberPort(folder, port, user)
        return 'ready'
      case 'overtaken':
        if (!runningServer(folder)) await endOrphans(attempt)
        return 'overtaken'
      case 'port-taken':
        if (fixedPort || attempts === PORT_ATTEMPTS) throw portTaken(port)
        break
      case 'failed':
        throw startFailed(folder, outcome.log)
      case 'slow':
        throw notReady(attempt)
    }
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

/** Waits for the children of a dead server, and ends those whose statement would go on for long: its client is cut off anyway. */
async function endOrphans({ clock, folder, signal }: Attempt): Promise<void> {
  const until = clock.elapsed() + ORPHAN_PATIENCE
  while (orphansOf(folder.pgdata).length > 0 && clock.elapsed() < until) await sleep(clock, LOOK_EVERY, signal)
  for (const pid of orphansOf(folder.pgdata)) signalProcess(pid, 'SIGKILL')
}

/**
 * Takes hold of a server found running. Undefined when there is none to hold any more, because it ended or was restarted
 * with other settings.
 */
async function holdRunning(attempt: Attempt, running: PostmasterFile, isOurs: boolean): Promise<Hold | undefined> {
  const { clock, folder, signal } = attempt
  const sickAt = clock.elapsed() + SICK_AFTER
  while (true) {
    const file = readPostmasterFile(folder.pgdata)
    if (file?.pid !== running.pid || !isServerOf(folder.pgdata, file.pid)) return undefined
    const held = file.port > 0 ? await takeHold(file.port, readPasswords(folder).admin) : 'not-ready'
    if (typeof held === 'object') return keepIfFit(attempt, running, held)
    if (held === 'wrong-password') {
      // What we launched must not stay behind where nobody can log in.
      if (isOurs) await stopPostmaster(folder.pgdata, running.pid, { clock, deadline: attempt.deadline })
      throw wrongPassword(folder)
    }
    if (held === 'not-listening' && clock.elapsed() > sickAt) return replace(attempt, file)
    if (clock.elapsed() > attempt.deadline) throw notReady(attempt, held)
    await sleep(clock, LOOK_EVERY, signal)
  }
}

/** A server with other settings than ours is replaced, unless somebody else is using it. */
async function keepIfFit(attempt: Attempt, running: PostmasterFile, hold: Hold): Promise<Hold | undefined> {
  if (hold.server.mark === attempt.mark) return hold
  if (await hold.becomeLast(attempt.clock)) {
    await replace(attempt, running)
    await hold.close()
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
      message:
        'the embedded PostgreSQL runs for another process with other settings; ours apply once all processes have stopped',
    })
  return hold
}

async function replace({ clock, folder, options }: Attempt, file: PostmasterFile): Promise<undefined> {
  // Whoever that process is, it does not let us in, and is not ours to stop.
  if (identify(folder.pgdata, file.pid) === 'unknown') return removeStaleFile(folder.pgdata, file) as undefined
  options.onProgress('stopping-orphan')
  await stopPostmaster(folder.pgdata, file.pid, { clock, deadline: clock.elapsed() + options.stopTimeout })
  publish(folder, 'stopped-orphan', file.pid)
}

function wrongPassword({ adminPasswordFile, pgdata }: DataFolder): Error {
  return embeddedError(
    'E_EMBEDDED_PASSWORD',
    `the server of ${pgdata} refuses the password in ${adminPasswordFile}: put the right one back`,
  )
}

function notReady({ folder }: Attempt, refusal: HoldRefusal = 'not-ready'): Error {
  const doing = refusal === 'being-stopped' ? 'is still being stopped by another process' : 'is still getting ready'
  return embeddedError(
    'E_EMBEDDED_START_FAILED',
    `PostgreSQL ${doing}: start again later, or give it longer (startTimeout); its log: ${folder.logFile}`,
  )
}
