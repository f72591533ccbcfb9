import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MessageCarrier } from './message_carrier.ts'

const PROGRAM = fileURLToPath(new URL('./message_consumer.ts', import.meta.url))

/** Processes that handle messages, and what they have noted. */
export class MessageConsumers {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tailwater-consumers-'))
  readonly #children: ChildProcess[] = []
  readonly #files: string[] = []
  readonly #carrier: MessageCarrier
  readonly #subscription: string
  kills = 0

  constructor(carrier: MessageCarrier, subscription: string) {
    this.#carrier = carrier
    this.#subscription = subscription
  }

  /** Starts one more; resolves when it consumes. */
  async start(): Promise<void> {
    const file = join(this.#folder, String(this.#files.length))
    const child = fork(PROGRAM, [JSON.stringify(this.#carrier), this.#subscription, file])
    this.#files.push(file)
    this.#children.push(child)
    await once(child, 'message')
  }

  /** Kills the oldest with SIGKILL, and starts another. */
  async killOne(): Promise<void> {
    const child = this.#children.shift()!
    child.kill('SIGKILL')
    await once(child, 'exit')
    this.kills++
    await this.start()
  }

  /** Ids of all that was handled, as often as it was; a line that a kill cut short is none. */
  handled(): string[] {
    return this.#files.flatMap((file) =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .filter((line) => line.length === 36)
        : [],
    )
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
