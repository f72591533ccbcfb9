import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { systemClock } from '@tailwater/core'
import type { NodeConfig, Order, Word } from './cache_node.ts'

/** What a node answered. */
export interface Answer {
  value?: number
  ms: number
}

/** An order without its number. */
type Wish = { read: string } | { invalidate: { keys?: string[]; tags?: string[] } }

/** One process of the cache under test, started again after a kill. */
export interface CacheNode {
  /** Undefined when it died before it answered. */
  ask(wish: Wish): Promise<Answer | undefined>
  /** SIGKILL, and a new process in its place. */
  crash(): Promise<void>
  freeze(): void
  thaw(): void
  readonly isFrozen: boolean
  /** When it last was thawed or begun, by `systemClock.elapsed`. */
  readonly since: number
  end(): Promise<void>
}

/** @param load the source: called with a key, answers with its value whenever it likes */
export async function startCacheNode(config: NodeConfig, load: (key: string) => Promise<number>): Promise<CacheNode> {
  const program = new URL('cache_node.ts', import.meta.url).pathname
  let child: ChildProcess
  let waiting = new Map<number, (answer: Answer | undefined) => void>()
  let lastId = 0
  let isFrozen = false
  let since = 0

  async function begin(): Promise<void> {
    const own = fork(program, [JSON.stringify(config)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const answers = new Map<number, (answer: Answer | undefined) => void>()
    child = own
    waiting = answers
    own.on('exit', () => {
      for (const settle of answers.values()) settle(undefined)
      answers.clear()
    })
    own.on('message', (word: Word) => {
      if ('load' in word)
        void load(word.load).then((loaded) => own.connected && own.send({ id: word.id, loaded }, () => {}))
      else if ('done' in word) {
        answers.get(word.done)?.({ ms: word.ms, ...(word.value !== undefined && { value: word.value }) })
        answers.delete(word.done)
      }
    })
    await once(own, 'message')
    since = systemClock.elapsed()
  }

  await begin()
  return {
    ask(wish) {
      const id = ++lastId
      const answers = waiting
      return new Promise((resolve) => {
        if (!child.connected) return resolve(undefined)
        answers.set(id, resolve)
        child.send({ ...wish, id } as Order, () => {})
      })
    },
    async crash() {
      child.kill('SIGKILL')
      await once(child, 'exit')
      isFrozen = false
      await begin()
    },
    freeze() {
      isFrozen = true
      child.kill('SIGSTOP')
    },
    thaw() {
      child.kill('SIGCONT')
      isFrozen = false
      since = systemClock.elapsed()
    },
    get isFrozen() {
      return isFrozen
    },
    get since() {
      return since
    },
    async end() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}
