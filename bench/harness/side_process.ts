import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from './project.ts'

type Answer<Outcome> = { outcome: Outcome } | { error: string }

/** One side of a comparison in a process of its own, kept for all its rounds: its code is compiled for it alone, and the other's garbage is not its own. */
export class SideProcess<Plan, Outcome> {
  readonly #child: ChildProcess
  readonly #name: string

  /** @param file from the root of the repository; it calls `answerPlans` */
  constructor(file: string, args: readonly string[] = []) {
    this.#name = [file, ...args].join(' ')
    this.#child = fork(join(root, file), args, { stdio: 'inherit' })
  }

  /** @throws what the side threw, or that it has ended */
  async run(plan: Plan): Promise<Outcome> {
    const ended = new AbortController()
    const exit = once(this.#child, 'exit', { signal: ended.signal }).then(([code]) => {
      throw new Error(`${this.#name} ended with ${code}`)
    })
    const answered = once(this.#child, 'message', { signal: ended.signal }) as Promise<[Answer<Outcome>]>
    // Whichever comes second is called off, which rejects it.
    exit.catch(() => {})
    answered.catch(() => {})
    this.#child.send(plan as object)
    const [answer] = await Promise.race([answered, exit]).finally(() => ended.abort())
    if ('error' in answer) throw new Error(`${this.#name} broke off: ${answer.error}`)
    return answer.outcome
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}

/** The other end: answers each plan that the bench sends, and ends with it. */
export function answerPlans<Plan, Outcome>(answer: (plan: Plan) => Promise<Outcome> | Outcome): void {
  process.on('message', (plan) => {
    Promise.resolve(plan as Plan)
      .then(answer)
      .then(
        (outcome) => process.send!({ outcome }),
        (error: Error) => process.send!({ error: error.stack ?? error.message }),
      )
  })
  // The bench has gone, however it went.
  process.on('disconnect', () => process.exit(0))
}
