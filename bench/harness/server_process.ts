import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from './project.ts'

/** How a server is started. */
export interface ServerProcessOptions {
  /** Arguments of Node: flags, the file, its arguments. */
  args: readonly string[]
  env: Record<string, string>
  /** Finds the port in a line that the server prints when it is up. */
  port: RegExp
  /** Milliseconds. */
  patience: number
}

/** Milliseconds that a server may take to end. */
const STOP_PATIENCE = 20_000

/** A server under measurement: a process of its own, with only the environment it is given. */
export class ServerProcess {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** @throws with what the server printed when it ends, or is not up in time */
  static async start({ args, env, port, patience }: ServerProcessOptions): Promise<ServerProcess> {
    const { PATH = '', HOME = '' } = process.env
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const found = await portOf(child, port, patience).catch((error: unknown) => {
      child.kill('SIGKILL')
      throw error
    })
    return new ServerProcess(child, found)
  }

  /** @throws when it does not end well, or not in time */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) throw new Error(`the server had ended with ${this.#child.exitCode}`)
    const exited = once(this.#child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_PATIENCE)
    this.#child.kill('SIGINT')
    const [code, signal] = await exited
    clearTimeout(patience)
    if (code !== 0) throw new Error(`the server ended with ${code ?? signal}`)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

function portOf(child: ChildProcess, pattern: RegExp, patience: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let printed = ''
    const fail = (why: string) => reject(new Error(`${why}; it printed:\n${printed}`))
    const timer = setTimeout(() => fail(`the server was not up after ${patience} ms`), patience)
    const read = (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(-10_000)
      const match = pattern.exec(printed)
      if (!match) return
      clearTimeout(timer)
      resolve(Number(match[1]))
    }
    child.stdout!.on('data', read)
    child.stderr!.on('data', read)
    child.once('exit', (code) => {
      clearTimeout(timer)
      fail(`the server ended with ${code}`)
    })
  })
}
