import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { JobStore } from './job_store.ts'
import type { WorkOptions } from './work.ts'

/** What a worker process is told. */
export interface WorkerConfig extends WorkOptions {
  store: JobStore
  /** Path of the journal. */
  journal: string
  /** Milliseconds by which its clock is wrong. */
  clockOffset?: number
  /** Folder with the sources of another version of the jobs package. */
  source?: string
}

/** Worker processes, each replaced when it has died. */
export class WorkerCrew {
  readonly #config: WorkerConfig
  readonly #configs: WorkerConfig[] = []
  readonly #children: ChildProcess[] = []
  /** Processes that ended without being asked to. */
  deaths = 0
  #isOver = false

  constructor(config: WorkerConfig) {
    this.#config = config
  }

  get size(): number {
    return this.#children.length
  }

  /** Brings so many more up; resolves when they are. */
  async add(count: number, config: Partial<WorkerConfig> = {}): Promise<void> {
    const first = this.#configs.length
    for (let added = 0; added < count; added++) this.#configs.push({ ...this.#config, ...config })
    await Promise.all(Array.from({ length: count }, (_, at) => this.#begin(first + at)))
  }

  pid(index: number): number {
    return this.#children[index]!.pid!
  }

  /** SIGKILL, and another in its place. */
  async kill(index: number): Promise<void> {
    const child = this.#children[index]!
    child.removeAllListeners('exit')
    child.kill('SIGKILL')
    await once(child, 'exit')
    await this.#begin(index)
  }

  freeze(index: number): void {
    this.#children[index]!.kill('SIGSTOP')
  }

  thaw(index: number): void {
    this.#children[index]!.kill('SIGCONT')
  }

  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        child.kill('SIGKILL')
        await once(child, 'exit')
      }),
    )
  }

  async #begin(index: number): Promise<void> {
    const config = this.#configs[index]!
    const program = new URL('worker_program.ts', import.meta.url).pathname
    const clock = `const now = Date.now; Date.now = () => now() + ${config.clockOffset ?? 0}`
    const execArgv = [...process.execArgv.filter((flag) => !flag.startsWith('--test'))]
    if (config.clockOffset) execArgv.push('--import', `data:text/javascript,${encodeURIComponent(clock)}`)
    const child = fork(program, [JSON.stringify(config)], { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#children[index] = child
    child.once('exit', () => {
      if (this.#isOver) return
      this.deaths++
      void this.#begin(index).catch(() => {})
    })
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code, signal]) => {
        throw new Error(`a worker ended with ${code ?? signal} before it was ready`)
      }),
    ])
  }
}
