import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Turn, TurnReply } from '../../../src/backend/work_port.ts'

/** A worker that can be frozen, killed, and have a clock of its own. */
export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #replies: Interface

  /** @param clockOffset milliseconds by which its clock is wrong */
  constructor(url: string, prefix: string, clockOffset = 0) {
    const clock = `const now = Date.now; Date.now = () => now() + ${clockOffset}`
    const program = fileURLToPath(new URL('./worker_program.ts', import.meta.url))
    const flags = ['--conditions=@tailwater/source', '--disable-warning=ExperimentalWarning']
    const args = [...flags, '--import', `data:text/javascript,${encodeURIComponent(clock)}`, program, url, prefix]
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#replies = createInterface({ input: this.#child.stdout! })
  }

  /** Sends a turn, which a frozen process takes when it is thawed. */
  async turn(turn: Turn): Promise<TurnReply & { clock: number }> {
    this.#child.stdin!.write(`${JSON.stringify(turn)}\n`)
    const [line] = (await once(this.#replies, 'line')) as [string]
    return JSON.parse(line)
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#child.kill(name)
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.signal('SIGCONT')
    this.#child.stdin!.end()
    await ended
  }
}
