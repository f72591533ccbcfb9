import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { freePort } from '@tailwater/core/testing'
import { redisError } from '../errors.ts'
import { ask, until } from './ask.ts'
import { type ServerProcess, startProcess } from './redis_process.ts'

/** How a test server is to be. */
export interface TestRedisOptions {
  /** Of the default user. */
  password?: string
  /** Writes every change to disk, so that a restart finds it again. @default false */
  persist?: boolean
  /** More arguments for `redis-server`. */
  args?: readonly string[]
  port?: number
}

/** A Redis server of a test, on a free port of 127.0.0.1. */
export interface TestRedis {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly url: string
  readonly pid: number
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay, nothing is answered. */
  freeze(): void
  thaw(): void
  /** Starts it again on the same port, after `kill` or instead of it. */
  restart(): Promise<void>
  /** The raw reply to one command, such as `FLUSHALL`. */
  ask(command: string): Promise<string>
  /** Ends it and takes its data away. */
  stop(): Promise<void>
}

/**
 * Starts a Redis server and waits until it answers. It ends with the test's process, however that ends.
 *
 * @throws Error when there is no `redis-server`; it says what to install
 * @example
 * const server = await startRedis()
 * after(() => server.stop())
 */
export function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  return startServer(options, (port) => ['--port', String(port)])
}

/** Free ports are only likely to be free: another test may have taken one meanwhile. */
const ATTEMPTS = 5

/** The arguments of a server's ports. */
export type Listen = (port: number) => readonly string[] | Promise<readonly string[]>

/** Starts a server whose listening arguments depend on its port; `tls` is how a client speaks to it. */
export async function startServer(
  options: TestRedisOptions,
  listen: Listen,
  tls?: ConnectionOptions,
): Promise<TestRedis> {
  const { password, persist = false, args = [], port: wanted } = options
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-redis-'))
  const settings = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', persist ? 'yes' : 'no']
  const secret = password === undefined ? [] : ['--requirepass', password, '--masterauth', password]
  const speak = (port: number, command: string) =>
    ask(port, password === undefined ? command : `AUTH ${password}\r\n${command}`, tls)

  /** @returns whether it answers; false when it has ended, mostly because a port was taken */
  async function answers(server: ServerProcess, port: number): Promise<boolean> {
    const isUp = async () => server.hasEnded || (await speak(port, 'PING')).includes('+PONG')
    await until('an answer of redis-server', isUp, server.output)
    return !server.hasEnded
  }

  async function launch(): Promise<{ server: ServerProcess; port: number; all: readonly string[] }> {
    for (let attempt = 1; ; attempt++) {
      const port = wanted ?? (await freePort())
      const all = [...(await listen(port)), ...settings, '--appendfsync', 'always', ...secret, ...args]
      const server = await startProcess(all, folder)
      if (await answers(server, port)) return { server, port, all }
      if (attempt === ATTEMPTS)
        throw redisError('E_REDIS_UNAVAILABLE', `redis-server does not start: ${server.output()}`)
    }
  }

  const { port, all, ...launched } = await launch()
  let { server } = launched

  return {
    host: '127.0.0.1',
    port,
    url: `${tls ? 'rediss' : 'redis'}://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`,
    get pid() {
      return server.pid
    },
    kill: () => server.kill(),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    async restart() {
      await server.kill()
      server = await startProcess(all, folder)
      if (!(await answers(server, port)))
        throw redisError('E_REDIS_UNAVAILABLE', `redis-server does not start again: ${server.output()}`)
    },
    ask: (command) => speak(port, command),
    async stop() {
      await server.kill()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
