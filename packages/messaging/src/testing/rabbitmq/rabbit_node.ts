import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { rabbitServer } from './rabbit_program.ts'

/** Where one node listens, and what it is told. */
export interface NodePlan {
  readonly name: string
  /** Everything that the node writes. */
  readonly folder: string
  readonly port: number
  readonly distPort: number
  readonly epmdPort: number
  /** Of the management API; undefined for none. */
  readonly managementPort?: number | undefined
  /** Names of all nodes that form a cluster with it. */
  readonly cluster?: readonly string[] | undefined
  /** More lines of rabbitmq.conf. */
  readonly settings?: readonly string[] | undefined
}

/** The command and environment that start a node in the foreground, as one process. */
export function nodeCommand(plan: NodePlan): { command: string[]; env: Record<string, string> } {
  writeFiles(plan)
  const at = (name: string) => join(plan.folder, name)
  return {
    command: [rabbitServer()],
    env: {
      HOME: at('home'),
      ERL_EPMD_PORT: String(plan.epmdPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: plan.name,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(plan.port),
      RABBITMQ_DIST_PORT: String(plan.distPort),
      RABBITMQ_MNESIA_BASE: at('mnesia'),
      RABBITMQ_LOG_BASE: at('log'),
      RABBITMQ_PID_FILE: at('pid'),
      RABBITMQ_GENERATED_CONFIG_DIR: at('config'),
      RABBITMQ_CONFIG_FILE: at('rabbitmq.conf'),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_ENABLED_PLUGINS_FILE: at('plugins'),
      // One scheduler starts in half the time of one a core; `-start_epmd false`: ours is guarded, theirs would outlive us.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}',
      // Makes the script become the node instead of watching over it: a SIGKILL then hits the node itself.
      RUNNING_UNDER_SYSTEMD: 'true',
    },
  }
}

function writeFiles({ folder, managementPort, cluster, settings = [], port }: NodePlan): void {
  const home = join(folder, 'home')
  mkdirSync(home, { recursive: true })
  const cookie = join(home, '.erlang.cookie')
  if (!existsSync(cookie)) writeFileSync(cookie, 'TAILWATERTEST')
  chmodSync(cookie, 0o400)
  writeFileSync(join(folder, 'plugins'), managementPort ? '[rabbitmq_management].' : '[].')
  const lines = [
    `listeners.tcp.default = 127.0.0.1:${port}`,
    'vm_memory_high_watermark.absolute = 1GB',
    'disk_free_limit.absolute = 50MB',
    'log.console = false',
    ...(managementPort ? [`management.tcp.port = ${managementPort}`, 'management.tcp.ip = 127.0.0.1'] : []),
    ...(cluster
      ? [
          'cluster_formation.peer_discovery_backend = classic_config',
          ...cluster.map((name, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${name}`),
          'net_ticktime = 5',
          'cluster_partition_handling = pause_minority',
        ]
      : []),
    ...settings,
  ]
  writeFileSync(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`)
}

/** Forgets what the log says of an earlier life, so that `hasStarted` tells of the next. */
export function clearLog({ folder }: NodePlan): void {
  rmSync(join(folder, 'log'), { recursive: true, force: true })
}

/** Whether the node is up, by its log (asking by `rabbitmqctl` takes longer than the start itself), and its port accepts. */
export async function hasStarted({ folder, port }: NodePlan): Promise<boolean> {
  const log = join(folder, 'log')
  if (!existsSync(log)) return false
  const names = readdirSync(log).filter((name) => name.endsWith('.log'))
  const isUp = names.some((name) => readFileSync(join(log, name), 'utf8').includes('startup complete'))
  return isUp && (await accepts(port))
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
