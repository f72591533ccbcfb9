import type { Clock } from '@tailwater/core'
import type { Transaction } from '@tailwater/postgres'
import { messagingError } from '../errors.ts'

/** Remembers what a subscription has handled. */
export interface Inbox {
  /**
   * Runs a function unless it has run, to its end, for this message of this subscription before; whether it ran now. A function that fails was not run.
   *
   * @throws E_MESSAGE_TRANSACTION where the function wants a transaction and the inbox has none to give
   */
  once(subscription: string, messageId: string, run: (tx: Transaction) => Promise<unknown> | unknown): Promise<boolean>
}

/** Messages that a process remembers. */
const MAX_REMEMBERED = 100_000

/** Remembers within this process: for tests and for what may run twice after a restart. */
export function createMemoryInbox(): Inbox {
  const handled = new Set<string>()
  return {
    async once(subscription, messageId, run) {
      const key = `${subscription}\n${messageId}`
      if (handled.has(key)) return false
      handled.add(key)
      try {
        await run(noTransaction)
      } catch (error) {
        handled.delete(key)
        throw error
      }
      if (handled.size > MAX_REMEMBERED) handled.delete(handled.values().next().value!)
      return true
    },
  }
}

/** What a function gets from an inbox that is not in PostgreSQL: it says so when it is used. */
export const noTransaction = new Proxy({} as Transaction, {
  get(_, name) {
    // What awaits it or prints it asks for these.
    if (name === 'then' || typeof name === 'symbol') return undefined
    throw messagingError(
      'E_MESSAGE_TRANSACTION',
      'this inbox has no transaction to give: give createMessaging a database',
    )
  },
})

/** What an inbox that keeps rows is trimmed by. */
export interface TrimmedInbox extends Inbox {
  /** Forgets what was handled long ago. */
  trim(): Promise<void>
}

/** Milliseconds between two trims of one process. */
const TRIM_EVERY = 600_000

/** Trims an inbox now and then; the result ends it. */
export function keepTrimmed(inbox: Inbox, clock: Clock, report: (error: unknown) => void): () => void {
  if (!('trim' in inbox)) return () => undefined
  let cancel = () => {}
  const plan = () => {
    cancel = clock.after(TRIM_EVERY * (1 - 0.2 * Math.random()), () => {
      plan()
      void (inbox as TrimmedInbox).trim().catch(report)
    })
  }
  plan()
  return () => cancel()
}
