import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { freePort } from '@tailwater/core/testing'
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

/** Starts a server whose listening arguments depend on its port; `tls` is how a client speaks to it. */
export async function startServer(
  { password, persist = false, args = [], port: wanted }: TestRedisOptions,
  listen: (port: number, folder: string) => readonly string[],
  tls?: (folder: string) => ConnectionOptions,
): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-redis-'))
  const port = wanted ?? (await freePort())
  const settings = [
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    persist ? 'yes' : 'no',
    '--appendfsync',
    'always',
  ]
  const secret = password === undefined ? [] : ['--requirepass', password, '--masterauth', password]
  const launch = () => startProcess([...listen(port, folder), ...settings, ...secret, ...args])
  const speak = (command: string) =>
    ask(port, password === undefined ? command : `AUTH ${password}\r\n${command}`, tls?.(folder))
  let server: ServerProcess = await launch()

  async function answers(): Promise<void> {
    await until(
      'an answer of redis-server',
      async () => {
        if (server.hasEnded) server = await launch()
        return (await speak('PING')).includes('+PONG')
      },
      () => server.output(),
    )
  }
  await answers()

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
      server = await launch()
      await answers()
    },
    ask: speak,
    async stop() {
      await server.kill()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
