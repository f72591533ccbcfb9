import { type Clock, sleep, systemClock } from '@tailwater/core'
import type { FarBackend } from '../far/far_backend.ts'

/** A backend that misbehaves when told to. */
export interface ChaosBackend extends FarBackend {
  /** Names of the calls so far, such as `entries.read`, also of those that failed. */
  readonly calls: readonly string[]
  /** Every call rejects, and nothing is done. */
  fail(error?: Error): void
  /** Every call is done, and then rejects: the answer got lost. */
  loseAnswers(error?: Error): void
  /** Every call is done after `ms` of the clock. */
  delay(ms: number): void
  /** No call is done or answered until `heal`. */
  freeze(): void
  /** Ends whatever was ordered; frozen calls go on. */
  heal(): void
}

type Method = (...given: never[]) => Promise<unknown>

/**
 * Puts trouble before a backend. Starting and stopping are left alone.
 *
 * @example
 * const far = chaos(createMemoryBackend({ clock }), { clock })
 * far.freeze()
 */
export function chaos(backend: FarBackend, { clock = systemClock }: { clock?: Clock } = {}): ChaosBackend {
  const calls: string[] = []
  let trouble: (call: () => Promise<unknown>) => Promise<unknown> = (call) => call()
  let thaw = () => {}

  function troubled<T extends object>(name: string, target: T): T {
    return new Proxy(target, {
      get(of, property) {
        const found: unknown = Reflect.get(of, property)
        if (typeof found !== 'function') return found
        return (...given: never[]) => {
          calls.push(`${name}${String(property)}`)
          return trouble(() => (found as Method).apply(of, given))
        }
      },
    })
  }

  const direct = troubled('', backend)
  return {
    name: backend.name,
    start: () => backend.start(),
    stop: (deadline) => backend.stop(deadline),
    entries: troubled('entries.', backend.entries),
    tags: troubled('tags.', backend.tags),
    leases: troubled('leases.', backend.leases),
    browser: troubled('browser.', backend.browser),
    time: () => direct.time(),
    ping: () => direct.ping(),
    calls,
    fail(error = new Error('the store fails')) {
      trouble = () => Promise.reject(error)
    },
    loseAnswers(error = new Error('the answer got lost')) {
      trouble = async (call) => {
        await call()
        throw error
      }
    },
    delay(ms) {
      trouble = async (call) => {
        await sleep(clock, ms)
        return call()
      }
    },
    freeze() {
      const frozen = Promise.withResolvers<void>()
      thaw = frozen.resolve
      trouble = async (call) => {
        await frozen.promise
        return call()
      }
    },
    heal() {
      trouble = (call) => call()
      thaw()
    },
  }
}
