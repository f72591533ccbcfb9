import { type EventChannel, listen } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createMemoryMessaging, createMessaging, type Messaging, type MessagingOptions } from '../src/index.ts'

/** Messaging within the process, on a clock of the test's. */
export function inMemory(options: Partial<MessagingOptions> = {}): { messaging: Messaging; clock: FakeClock } {
  const clock = new FakeClock()
  return { messaging: createMessaging({ backend: createMemoryMessaging({ clock }), clock, ...options }), clock }
}

/** The first event of a channel that fits, from now on. */
export function nextEvent<Message extends object>(
  channel: EventChannel<Message>,
  fits: (message: Message) => boolean = () => true,
): Promise<Message> {
  return new Promise((resolve) => {
    const stop = listen(channel, (message) => {
      if (!fits(message)) return
      stop()
      resolve(message)
    })
  })
}

/** Values that come one by one, and a promise of so many. */
export class Collected<T> {
  readonly all: T[] = []
  #tell: () => void = () => {}

  readonly put = (value: T): void => {
    this.all.push(value)
    this.#tell()
  }

  async until(count: number): Promise<T[]> {
    while (this.all.length < count)
      await new Promise<void>((resolve) => {
        this.#tell = resolve
      })
    return this.all
  }
}

/** A schema that takes objects with a number under `n`, and doubles it. */
export const doubling = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    types: undefined as { input: { n: number }; output: { n: number } } | undefined,
    validate: (value: unknown) => {
      const { n } = (value ?? {}) as { n?: unknown }
      return typeof n === 'number'
        ? { value: { n: n * 2 } }
        : { issues: [{ message: 'n must be a number', path: ['n'] }] }
    },
  },
}
