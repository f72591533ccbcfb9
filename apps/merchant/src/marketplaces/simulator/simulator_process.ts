import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createService, type Service } from '@tailwater/core'
import type { SimulatorOptions } from './simulator.ts'

/** The simulated marketplaces, in a process of their own. */
export interface SimulatorProcess extends Service {
  /** `http://127.0.0.1:…`, once started. */
  readonly url: string
}

/** Starts the simulated marketplaces as whoever they stand for would run: elsewhere, reached over HTTP alone. */
export function createSimulatorProcess(options: Omit<SimulatorOptions, 'clock'>): SimulatorProcess {
  let child: ChildProcess | undefined
  let url = ''
  return {
    ...createService('marketplaces', {
      async start() {
        child = fork(fileURLToPath(new URL('./main.ts', import.meta.url)), {
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        })
        child.send(options)
        url = await urlOf(child)
        // It has no part in whether this process may end.
        child.unref()
        child.channel?.unref()
      },
      async stop() {
        if (!child || child.exitCode !== null) return
        const exited = once(child, 'exit')
        child.ref()
        child.disconnect()
        await exited
      },
    }),
    get url() {
      return url
    },
  }
}

async function urlOf(child: ChildProcess): Promise<string> {
  const exited = once(child, 'exit').then(() => [{ error: 'the simulation ended before it began' }])
  const [answer] = (await Promise.race([once(child, 'message'), exited])) as [{ url: string } | { error: string }]
  if ('url' in answer) return answer.url
  throw new Error(`the simulated marketplaces cannot start: ${answer.error}`)
}
