import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from '../harness/project.ts'
import type { LoadOutcome, LoadPlan } from './plan.ts'

/** A load process, kept for all rounds so that its code is compiled in all but the first. */
export class LoadGenerator {
  readonly #child: ChildProcess

  constructor() {
    this.#child = fork(join(root, 'bench/load/load_process.ts'), [], { stdio: 'inherit' })
  }

  /**
   * Runs a plan.
   *
   * @throws when a connection broke, or an answer was not the known one
   */
  async run(plan: LoadPlan): Promise<LoadOutcome> {
    this.#child.send(plan)
    const [answer] = (await once(this.#child, 'message')) as [{ outcome: LoadOutcome } | { error: string }]
    if ('error' in answer) throw new Error(`the load broke off: ${answer.error}`)
    const { outcome } = answer
    if (outcome.wrong > 0) throw new Error(`${outcome.wrong} wrong answers, the first: ${outcome.firstWrong}`)
    if (outcome.requests === 0) throw new Error('nothing was answered in the counted time')
    return outcome
  }

  close(): void {
    this.#child.disconnect()
  }
}
