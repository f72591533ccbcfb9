import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@tailwater/core'
import { hasStarted, nodeCommand } from './rabbit_node.ts'
import { epmd } from './rabbit_program.ts'
import { planNodes } from './test_rabbitmq.ts'
import { untilBroker } from './until_broker.ts'

/** Where the shared broker is. */
export interface SharedRabbitMq {
  /** Without a virtual host. */
  readonly url: string
  readonly managementUrl: string
}

/**
 * Keeps a broker while processes of tests use it, and ten seconds more, for the next one to find it warm. It asks the process table,
 * so nothing has to be told when a test is killed; and it goes under the same lock under which tests come.
 */
const KEEPER = `cd "$FOLDER" || exit 1
exec </dev/null >keeper.log 2>&1
"$EPMD" -port "$ERL_EPMD_PORT" -address 127.0.0.1 & names=$!
"$@" & server=$!
used() { for file in "$ROOM"/users/*; do pid=\${file##*/}; kill -0 "$pid" 2>/dev/null && return 0; rm -f "$file"; done; return 1; }
idle=0
while [ $idle -lt 10 ] && kill -0 $server 2>/dev/null; do
  sleep 1
  if used; then idle=0; else idle=$((idle + 1)); fi
  if [ $idle -ge 10 ]; then
    (set -C; echo $$ >"$ROOM/lock") 2>/dev/null || idle=9
    if [ $idle -ge 10 ] && used; then rm -f "$ROOM/lock"; idle=0; fi
  fi
done
rm -f "$ROOM/state.json"
kill -9 $server $names
[ "$(cat "$ROOM/lock" 2>/dev/null)" = $$ ] && rm -f "$ROOM/lock"
sleep 0.2
rm -rf "$FOLDER"`

const room = join(tmpdir(), `tailwater-rabbitmq-shared-${process.getuid?.() ?? 0}`)
const stateFile = join(room, 'state.json')
const lockFile = join(room, 'lock')

let shared: Promise<SharedRabbitMq> | undefined

/**
 * The broker that tests share, each suite in a virtual host of its own: that of TAILWATER_TEST_AMQP_URL (with its management API at
 * TAILWATER_TEST_AMQP_MANAGEMENT_URL), or one that the first test starts and a keeper ends after the last.
 */
export function sharedRabbitMq(): Promise<SharedRabbitMq> {
  shared ??= open()
  return shared
}

async function open(): Promise<SharedRabbitMq> {
  const url = process.env['TAILWATER_TEST_AMQP_URL']
  const managementUrl = process.env['TAILWATER_TEST_AMQP_MANAGEMENT_URL']
  if (url && managementUrl) return { url, managementUrl }
  mkdirSync(join(room, 'users'), { recursive: true })
  writeFileSync(join(room, 'users', String(process.pid)), '')
  await untilBroker('the lock of the shared broker', takeLock)
  try {
    return readState() ?? (await start())
  } finally {
    rmSync(lockFile, { force: true })
  }
}

function takeLock(): boolean {
  try {
    writeFileSync(openSync(lockFile, 'wx'), String(process.pid))
    return true
  } catch {
    const holder = existsSync(lockFile) ? Number(readFileSync(lockFile, 'utf8')) : 0
    // Of a test that was killed while it started the broker.
    if (holder && !isAlive(holder)) rmSync(lockFile, { force: true })
    return false
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function readState(): SharedRabbitMq | undefined {
  if (!existsSync(stateFile)) return undefined
  const state = JSON.parse(readFileSync(stateFile, 'utf8')) as SharedRabbitMq & { keeper: number }
  return isAlive(state.keeper) ? state : undefined
}

async function start(): Promise<SharedRabbitMq> {
  const folder = join(room, `broker-${process.pid}-${Math.round(systemClock.now())}`)
  mkdirSync(folder, { recursive: true })
  const [plan] = await planNodes(folder, { management: true })
  const { command, env } = nodeCommand(plan!)
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'sh', ...command], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, ...env, FOLDER: folder, ROOM: room, EPMD: epmd() },
  })
  keeper.unref()
  const log = join(folder, 'keeper.log')
  const output = () => (existsSync(log) ? readFileSync(log, 'utf8').slice(-2_000) : '')
  await untilBroker('the shared broker', async () => keeper.exitCode !== null || (await hasStarted(plan!)), output)
  if (keeper.exitCode !== null) throw new Error(`the shared broker does not start: ${output()}`)
  const state = {
    url: `amqp://guest:guest@127.0.0.1:${plan!.port}`,
    managementUrl: `http://127.0.0.1:${plan!.managementPort}`,
  }
  await answers(state.managementUrl)
  writeFileSync(stateFile, JSON.stringify({ ...state, keeper: keeper.pid }))
  return state
}

async function answers(managementUrl: string): Promise<void> {
  const isUp = async () => (await fetch(`${managementUrl}/api/overview`, { headers: guest })).ok
  await untilBroker('the management API', isUp)
}

/** What the broker's first user is called, as HTTP wants it. */
const guest = { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}` }

/** Calls the management API of the shared broker. @throws Error with what it answers */
export async function askManagement(
  managementUrl: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const response = await fetch(`${managementUrl}/api/${path}`, {
    method,
    headers: { ...guest, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const answer = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`)
  return answer === '' ? undefined : JSON.parse(answer)
}
