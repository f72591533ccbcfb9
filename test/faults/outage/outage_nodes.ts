import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { RedisOptions } from '@tailwater/redis'
import type { NodeReport } from './outage_node.ts'

/** A process that asks its cache without pause. */
export interface OutageNode {
  report(): Promise<NodeReport>
  end(): Promise<void>
}

/** Starts one; resolves when it asks. */
export async function startOutageNode(place: RedisOptions, seed: number): Promise<OutageNode> {
  const program = new URL('outage_node.ts', import.meta.url).pathname
  const child: ChildProcess = fork(program, [JSON.stringify(place), String(seed)], {
    execArgv: process.execArgv.filter((flag) => !flag.startsWith('--test')),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  await once(child, 'message')
  return {
    async report() {
      child.send('report')
      const [report] = (await once(child, 'message')) as [NodeReport]
      return report
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
