import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { delimiter } from 'node:path'
import { root } from '../harness/project.ts'

/** Milliseconds between two looks whether the server answers. */
const LOOK_EVERY = 5

/** `npm start` as a person types it: a process group of its own, and only the environment of a plain shell. */
export class NpmStart {
  readonly #child: ChildProcess
  readonly #port: number
  readonly #startedAt: number
  #printed = ''

  constructor({ port, dataDir, args = [] }: { port: number; dataDir: string; args?: readonly string[] }) {
    const { PATH = '', HOME = '' } = process.env
    this.#port = port
    this.#startedAt = performance.now()
    this.#child = spawn('npm', ['start', '--', ...args], {
      cwd: root,
      env: { PATH: plainPath(PATH), HOME, PORT: String(port), DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const keep = (chunk: Buffer) => {
      this.#printed += chunk.toString()
    }
    this.#child.stdout!.on('data', keep)
    this.#child.stderr!.on('data', keep)
  }

  /** Everything it has said so far. */
  get printed(): string {
    return this.#printed
  }

  /**
   * Milliseconds from the command until `path` first answered 200.
   *
   * @throws when it ends before, or is not up after `patience` milliseconds
   */
  async firstAnswer(path: string, patience: number): Promise<{ ms: number; body: string }> {
    for (;;) {
      const answer = await ask(this.#port, path)
      const ms = performance.now() - this.#startedAt
      if (answer?.status === 200) return { ms, body: answer.body }
      if (this.#child.exitCode !== null || ms > patience)
        throw new Error(`npm start does not answer; it printed:\n${this.#printed}`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY))
    }
  }

  /** Ctrl-C: the terminal signals the whole group. Resolves when all of it has ended. */
  async interrupt(): Promise<void> {
    const ended = once(this.#child, 'exit')
    process.kill(-this.#child.pid!, 'SIGINT')
    await ended
  }

  kill(): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) process.kill(-this.#child.pid!, 'SIGKILL')
  }
}

/** Without what npm has put before the path of its own script. */
function plainPath(path: string): string {
  return path
    .split(delimiter)
    .filter((folder) => !/node_modules[\\/]\.bin|node-gyp-bin/.test(folder))
    .join(delimiter)
}

/** Undefined while nobody listens. */
function ask(port: number, path: string): Promise<{ status: number; body: string } | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      resolve({ status: response.statusCode!, body: Buffer.concat(chunks).toString() })
    })
    request.on('error', () => resolve(undefined))
  })
}
