import { TailwaterError } from '@tailwater/core'
import type { OutboxErrorCode } from '../errors.ts'
import type { OutboxFeed } from '../outbox/feed.ts'
import type { EncodedMessage } from '../outbox/message.ts'

/** Messages of one INSERT. */
const BATCH = 1_000

/** Brings messages into the outbox, many at a time. */
export interface Publisher {
  /** Resolves when the message is stored. @throws E_BUS_FULL, E_BUS_STOPPED */
  publish(message: EncodedMessage): Promise<void>
  open(): void
  /** Takes nothing more; resolves when what was taken is stored, or has failed. */
  close(): Promise<void>
  /** Fails what is still waiting. */
  abandon(): void
}

interface Waiting {
  message: EncodedMessage
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * One INSERT is under way at a time, and takes everything that was published while the one before it was: messages of a process stay in
 * their order, and the more there are the more share a commit.
 */
export function createPublisher(feed: OutboxFeed, maxPending: number): Publisher {
  let waiting: Waiting[] = []
  let isOpen = false
  let flushing: Promise<void> | undefined

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH)
      try {
        await feed.broadcast(batch.map(({ message }) => message))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    flushing = undefined
  }

  return {
    publish(message) {
      if (!isOpen) return Promise.reject(stopped())
      if (waiting.length >= maxPending) return Promise.reject(full(maxPending))
      return new Promise((resolve, reject) => {
        waiting.push({ message, resolve, reject })
        // Not at once: the rest of this tick may have more to publish.
        flushing ??= Promise.resolve().then(flush)
      })
    },
    open() {
      isOpen = true
    },
    async close() {
      isOpen = false
      await flushing
    },
    abandon() {
      for (const { reject } of waiting) reject(stopped())
      waiting = []
    },
  }
}

function busError(code: OutboxErrorCode, message: string, details = {}): TailwaterError {
  return new TailwaterError(code, message, details)
}

/** The error of a bus that is not running. */
export function stopped(): TailwaterError {
  return busError('E_BUS_STOPPED', 'the bus is not started, or was stopped before the message was stored')
}

function full(maxPending: number): TailwaterError {
  return busError('E_BUS_FULL', `${maxPending} messages wait to be published already: await publish, or publish less`, {
    maxPending,
  })
}
