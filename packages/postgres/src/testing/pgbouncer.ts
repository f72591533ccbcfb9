import { spawn } from 'node:child_process'
import { chownSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { sleep, systemClock } from '@tailwater/core'
import { freePort, requireProgram } from '@tailwater/core/testing'
import { keepAlive } from '../embedded/keep_alive.ts'
import { chooseServerUser } from '../embedded/server_user.ts'
import { makePrivateFolder, removePrivateFolder } from './private_folder.ts'

/** A PgBouncer before a server. */
export interface TestPgBouncer {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** How PgBouncer pools. */
export interface TestPgBouncerOptions {
  /** The server's url, with the password. */
  target: string
  /** @default 'transaction' */
  mode?: 'transaction' | 'session' | 'statement'
  /** Connections to the server. @default 10 */
  poolSize?: number
}

/** Milliseconds after which a PgBouncer that does not listen is given up. */
const PATIENCE = 10_000

/** Starts the machine's PgBouncer on a free port. */
export async function startPgBouncer({
  target,
  mode = 'transaction',
  poolSize = 10,
}: TestPgBouncerOptions): Promise<TestPgBouncer> {
  const program = requireProgram('pgbouncer', { debianPackage: 'pgbouncer' })
  const url = new URL(target)
  const dir = makePrivateFolder()
  // PgBouncer refuses root as well.
  const users = join(dir, 'users.txt')
  const user = chooseServerUser(join(dir, 'pgdata'), users)
  const port = await freePort()
  const settings = join(dir, 'pgbouncer.ini')
  writeFileSync(users, `"${decodeURIComponent(url.username)}" "${decodeURIComponent(url.password)}"\n`, { mode: 0o600 })
  writeFileSync(settings, configuration({ url, port, users, mode, poolSize }), { mode: 0o600 })
  if (user) for (const path of [users, settings]) chownSync(path, user.uid, user.gid)
  const child = spawn(program, ['-q', settings], {
    cwd: '/',
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', () => resolve())
  })
  const atExit = () => void child.kill('SIGKILL')
  process.on('exit', atExit)
  const close = async () => {
    process.off('exit', atExit)
    child.kill('SIGKILL')
    await ended
    removePrivateFolder(dir)
  }
  const listens = await keepAlive(() => waitForPort(port, () => child.exitCode !== null))
  if (!listens) {
    await close()
    throw new Error(`pgbouncer did not start: ${complaint.trim()}`)
  }
  url.port = String(port)
  return { url: url.href, port, close }
}

function configuration(given: { url: URL; port: number; users: string; mode: string; poolSize: number }): string {
  return `[databases]
* = host=${given.url.hostname} port=${given.url.port || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${given.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${given.users}
pool_mode = ${given.mode}
default_pool_size = ${given.poolSize}
max_client_conn = 1000
ignore_startup_parameters = extra_float_digits,options
`
}

async function waitForPort(port: number, hasEnded: () => boolean): Promise<boolean> {
  const until = systemClock.elapsed() + PATIENCE
  while (!hasEnded() && systemClock.elapsed() < until) {
    if (await accepts(port)) return true
    await sleep(systemClock, 10)
  }
  return false
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
