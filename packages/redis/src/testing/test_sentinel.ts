import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@tailwater/core/testing'
import type { RedisAddress } from '../options.ts'
import { ask, until } from './ask.ts'
import { type ServerProcess, startProcess } from './redis_process.ts'
import { startRedis, type TestRedis } from './test_redis.ts'

/** A master with replicas, and three sentinels that watch them. */
export interface TestSentinel {
  /** What the sentinels call the master. */
  readonly master: 'tailwater'
  readonly sentinels: readonly RedisAddress[]
  /** The servers; at the beginning the first is the master. */
  readonly servers: readonly TestRedis[]
  /** Which server the sentinels take for the master now. */
  currentMaster(): Promise<TestRedis>
  /** Resolves when the sentinels have named another master than this one, and it has that role. */
  failedOver(from: TestRedis): Promise<TestRedis>
  stop(): Promise<void>
}

const MASTER = 'tailwater'
/** Milliseconds of silence before a master counts as dead: as short as a loaded machine allows. */
const DOWN_AFTER = 1_000

/** Starts one master, `replicas` replicas and three sentinels on free ports. */
export async function startSentinel({ replicas = 2 }: { replicas?: number } = {}): Promise<TestSentinel> {
  const fast = ['--repl-diskless-sync-delay', '0']
  const master = await startRedis({ args: fast })
  const followers = await Promise.all(
    Array.from({ length: replicas }, () =>
      startRedis({ args: [...fast, '--replicaof', '127.0.0.1', String(master.port)] }),
    ),
  )
  const servers = [master, ...followers]
  await until('the replicas', async () =>
    (await master.ask('INFO replication')).includes(`connected_slaves:${replicas}`),
  )
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-sentinel-'))
  const watchers = await Promise.all([1, 2, 3].map(() => startWatcher(folder, master.port)))
  const ports = watchers.map(({ port }) => port)
  await until('the sentinels', async () => {
    const views = await Promise.all(ports.map((port) => ask(port, `SENTINEL MASTER ${MASTER}`)))
    return views.every(
      (view) => field(view, 'num-other-sentinels') === '2' && field(view, 'num-slaves') === String(replicas),
    )
  })

  const currentMaster = async () => {
    const reply = await ask(ports[0]!, `SENTINEL GET-MASTER-ADDR-BY-NAME ${MASTER}`)
    const port = Number(reply.split('\r\n')[4])
    return servers.find((server) => server.port === port)!
  }

  return {
    master: MASTER,
    sentinels: ports.map((port) => ({ host: '127.0.0.1', port })),
    servers,
    currentMaster,
    async failedOver(from) {
      await until('a failover', async () => {
        const next = await currentMaster()
        return next.port !== from.port && (await next.ask('ROLE')).includes('master')
      })
      return currentMaster()
    },
    async stop() {
      await Promise.all([...watchers.map(({ server }) => server.kill()), ...servers.map((server) => server.stop())])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A value in a reply of alternating names and values, each preceded by its length. */
function field(reply: string, name: string): string | undefined {
  const lines = reply.split('\r\n')
  const at = lines.indexOf(name)
  return at < 0 ? undefined : lines[at + 2]
}

async function startWatcher(folder: string, masterPort: number): Promise<{ port: number; server: ServerProcess }> {
  const port = await freePort()
  const file = join(folder, `${port}.conf`)
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER}`,
    `sentinel failover-timeout ${MASTER} 5000`,
    `sentinel parallel-syncs ${MASTER} 1`,
  ]
  writeFileSync(file, `${settings.join('\n')}\n`)
  return { port, server: await startProcess([file, '--sentinel'], folder) }
}
