import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, type GuardedProcess, startGuarded } from '@tailwater/core/testing'
import { clearLog, hasStarted, type NodePlan, nodeCommand } from './rabbit_node.ts'
import { epmd } from './rabbit_program.ts'
import { untilBroker } from './until_broker.ts'

/** How a test's own broker is to be. */
export interface TestRabbitMqOptions {
  /** Nodes of a cluster. @default 1 */
  nodes?: 1 | 3
  /** Starts the management API on the first node, which takes a second more. @default false */
  management?: boolean
  /** More lines of rabbitmq.conf. */
  settings?: readonly string[]
}

/** One node of a test's own broker. */
export interface TestRabbitMqNode {
  readonly name: string
  readonly host: '127.0.0.1'
  readonly port: number
  readonly url: string
  readonly pid: number
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay, nothing is answered. */
  freeze(): void
  thaw(): void
  /** Starts it again on the same ports with the same data, after `kill` or instead of it; resolves when it accepts connections. */
  restart(): Promise<void>
}

/** A broker that one test has to itself, to be broken by it. */
export interface TestRabbitMq {
  readonly nodes: readonly TestRabbitMqNode[]
  readonly managementUrl: string | undefined
  /** Ends all nodes and takes their data away. */
  stop(): Promise<void>
}

/**
 * Starts a broker of one node or of three on free ports, with a name server, a cookie and a home of its own. It ends with the test's process,
 * however that ends. A node takes five seconds, a cluster of three about twenty.
 *
 * @throws Error when there is no RabbitMQ; it says what to install
 */
export async function startRabbitMq(options: TestRabbitMqOptions = {}): Promise<TestRabbitMq> {
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-rabbitmq-'))
  const plans = await planNodes(folder, options)
  const names = await startGuarded([epmd(), '-port', String(plans[0]!.epmdPort), '-address', '127.0.0.1'], { folder })
  const nodes = await Promise.all(plans.map((plan) => startNode(plan)))
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.kill()))
    await names.kill()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
  try {
    await Promise.all(nodes.map((node) => node.isReady()))
  } catch (error) {
    await stop()
    throw error
  }
  const { managementPort } = plans[0]!
  return { nodes, managementUrl: managementPort ? `http://127.0.0.1:${managementPort}` : undefined, stop }
}

/** The plans of a broker's nodes, on ports that were free a moment ago. */
export async function planNodes(folder: string, options: TestRabbitMqOptions): Promise<NodePlan[]> {
  const count = options.nodes ?? 1
  const epmdPort = await freePort()
  const names = Array.from({ length: count }, (_, index) => `tw${index + 1}@localhost`)
  return Promise.all(
    names.map(async (name, index) => ({
      name,
      folder: join(folder, `node${index + 1}`),
      port: await freePort(),
      distPort: await freePort(),
      epmdPort,
      managementPort: options.management && index === 0 ? await freePort() : undefined,
      cluster: count > 1 ? names : undefined,
      settings: options.settings,
    })),
  )
}

async function startNode(plan: NodePlan): Promise<TestRabbitMqNode & { isReady(): Promise<void> }> {
  const launch = () => {
    clearLog(plan)
    const { command, env } = nodeCommand(plan)
    return startGuarded(command, { env, folder: plan.folder })
  }
  let running: GuardedProcess = await launch()
  const isReady = async () => {
    await untilBroker(
      `the start of ${plan.name}`,
      async () => running.hasEnded || (await hasStarted(plan)),
      running.output,
    )
    if (running.hasEnded) throw new Error(`${plan.name} does not start: ${running.output()}`)
  }
  return {
    name: plan.name,
    host: '127.0.0.1',
    port: plan.port,
    url: `amqp://guest:guest@127.0.0.1:${plan.port}`,
    get pid() {
      return running.pid
    },
    kill: () => running.kill(),
    freeze: () => running.signal('SIGSTOP'),
    thaw: () => running.signal('SIGCONT'),
    async restart() {
      await running.kill()
      running = await launch()
      await isReady()
    },
    isReady,
  }
}
