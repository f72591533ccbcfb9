import { join } from 'node:path'
import { sleep, systemClock } from '@tailwater/core'
import { APPLICATION } from '../embedded/application_database.ts'
import { type DataFolder, openDataFolder, openSocketDir, readPasswords } from '../embedded/data_folder.ts'
import { ADMIN_ROLE } from '../embedded/initialise.ts'
import { keepAlive } from '../embedded/keep_alive.ts'
import { findNativePackage } from '../embedded/native_package.ts'
import { isAlive } from '../embedded/os_process.ts'
import { findFreePort } from '../embedded/port.ts'
import { launchPostmaster, stopPostmaster } from '../embedded/postmaster.ts'
import {
  identify,
  isServerOf,
  readPostmasterFile,
  removeStaleFile,
  removeStaleSocketLocks,
} from '../embedded/postmaster_file.ts'
import { startFailed } from '../embedded/server_log.ts'
import { serverArguments, serverSettings } from '../embedded/server_settings.ts'
import { chooseServerUser, type ServerUser } from '../embedded/server_user.ts'
import { copyTree } from './copy_tree.ts'
import { makePrivateFolder, removePrivateFolder } from './private_folder.ts'
import { templateFolder } from './template.ts'

/** A server of one test, to be broken by it. Nothing starts it again but `restart`. */
export interface TestPostgres {
  /** The same over restarts; with the password. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** The server's data folder. */
  readonly pgdata: string
  /** Sends a signal to the postmaster; one that ends it is waited for. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts the server again, ending it first if it runs, and waits until it accepts connections. */
  restart(): Promise<void>
  /** Ends the server and removes its data. */
  close(): Promise<void>
}

/** How a private server is run. */
export interface TestPostgresOptions {
  settings?: Record<string, string | number | boolean>
  /** @default 100 */
  maxConnections?: number
}

/** Milliseconds after which a private server is not waited for any more. */
const PATIENCE = 30_000

/** Starts a throw-away server with a database `tailwater`, durable as the embedded one is. */
export async function startTestPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const template = await templateFolder()
  return startPrivateServer(options, (pgdata, user) => copyTree(template, pgdata, user))
}

/** Starts a server on data that `fill` puts into a fresh folder. */
export async function startPrivateServer(
  { settings = {}, maxConnections = 100 }: TestPostgresOptions,
  fill: (pgdata: string, user: ServerUser | undefined) => void | Promise<void>,
): Promise<TestPostgres> {
  const root = makePrivateFolder()
  try {
    const user = chooseServerUser(join(root, 'pgdata'), findNativePackage(undefined).postgres)
    await fill(join(root, 'pgdata'), user)
    const folder = openDataFolder(root)
    // Shared memory in the data folder goes with it, whatever is done to the server.
    const server = new PrivateServer(folder, user, {
      maxConnections,
      settings: { dynamic_shared_memory_type: 'mmap', ...settings },
    })
    await server.restart()
    return server
  } catch (error) {
    removePrivateFolder(root)
    throw error
  }
}

class PrivateServer implements TestPostgres {
  readonly #folder: DataFolder
  readonly #user: ServerUser | undefined
  readonly #socketDir: string | undefined
  readonly #settings: Record<string, string>
  readonly #password: string
  readonly #closed = new AbortController()
  #port = 0
  #pid = 0
  readonly #atExit = () => void this.#signal('SIGKILL')

  constructor(folder: DataFolder, user: ServerUser | undefined, given: Required<TestPostgresOptions>) {
    this.#folder = folder
    this.#user = user
    this.#password = readPasswords(folder).admin
    this.#socketDir = openSocketDir(folder, user)
    this.#settings = serverSettings({ ...given, socketDir: this.#socketDir })
    process.on('exit', this.#atExit)
  }

  get url(): string {
    return `postgres://${ADMIN_ROLE}:${this.#password}@127.0.0.1:${this.#port}/${APPLICATION}`
  }

  get port(): number {
    return this.#port
  }

  get pid(): number {
    return this.#pid
  }

  get pgdata(): string {
    return this.#folder.pgdata
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!this.#signal(signal) || !['SIGKILL', 'SIGQUIT', 'SIGINT', 'SIGTERM'].includes(signal)) return
    await keepAlive(async () => {
      while (isAlive(this.#pid)) await sleep(systemClock, 2)
    })
  }

  restart(): Promise<void> {
    return keepAlive(async () => {
      await this.#end(PATIENCE)
      this.#port ||= await findFreePort()
      const until = systemClock.elapsed() + PATIENCE
      while (!(await this.#launch())) {
        if (systemClock.elapsed() > until) throw new Error(`the server in ${this.pgdata} does not start again`)
        await sleep(systemClock, 20)
      }
    })
  }

  async close(): Promise<void> {
    process.off('exit', this.#atExit)
    this.#closed.abort(new Error('the test server was closed'))
    // Its data is not needed any more: no reason to wait for a checkpoint.
    this.#signal('SIGCONT')
    this.#signal('SIGQUIT')
    await keepAlive(() => this.#end(0))
    removePrivateFolder(this.#folder.root)
  }

  async #end(patience: number): Promise<void> {
    if (this.#pid)
      await stopPostmaster(this.pgdata, this.#pid, { clock: systemClock, deadline: systemClock.elapsed() + patience })
  }

  /** False when what the server before left behind is not gone yet: its children outlive it by a moment. */
  async #launch(): Promise<boolean> {
    const stale = readPostmasterFile(this.pgdata)
    if (stale && !isServerOf(this.pgdata, stale.pid)) removeStaleFile(this.pgdata, stale)
    removeStaleSocketLocks(this.pgdata, this.#socketDir)
    const args = serverArguments(this.pgdata, this.#port, this.#settings, 'test')
    const { postgres } = findNativePackage(undefined)
    const launch = { folder: this.#folder, postgres, args, user: this.#user }
    const outcome = await launchPostmaster(launch, {
      clock: systemClock,
      signal: this.#closed.signal,
      deadline: systemClock.elapsed() + PATIENCE,
    })
    if (outcome.kind === 'failed') throw startFailed(this.#folder, outcome.log)
    if (outcome.kind !== 'ready') return false
    this.#pid = outcome.pid
    return true
  }

  #signal(signal: NodeJS.Signals): boolean {
    if (identify(this.pgdata, this.#pid) !== 'server') return false
    return process.kill(this.#pid, signal)
  }
}
