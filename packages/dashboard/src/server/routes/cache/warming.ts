import type { CacheNamespace } from '@tailwater/cache'
import { type Clock, toError } from '@tailwater/core'

/** A warm-up as it is shown. */
export interface WarmUpState {
  namespace: string
  running: boolean
  loaded: number
  failed: number
  startedAt: number
  error: string | null
}

/** Warm-ups that were asked for over the API: one at a time for each namespace. */
export interface Warming {
  /** Begins one, or gives the one that is running. */
  begin(namespace: CacheNamespace<unknown, unknown>): WarmUpState
  /** The last of each namespace. */
  list(): WarmUpState[]
  /** Ends those that run; what they have loaded stays. */
  end(): void
}

/** @param clock says when they began */
export function createWarming(clock: Clock): Warming {
  const states = new Map<string, WarmUpState>()
  let running = new AbortController()

  async function run(namespace: CacheNamespace<unknown, unknown>, state: WarmUpState): Promise<void> {
    try {
      const { signal } = running
      const { error } = await namespace.warm(undefined, {
        signal,
        onProgress: (progress) => void Object.assign(state, progress),
      })
      state.error = error?.message ?? null
    } catch (error) {
      state.error = toError(error).message
    } finally {
      state.running = false
    }
  }

  return {
    begin(namespace) {
      const { name } = namespace
      const present = states.get(name)
      if (present?.running) return present
      const state = { namespace: name, running: true, loaded: 0, failed: 0, startedAt: clock.now(), error: null }
      states.set(name, state)
      void run(namespace, state)
      return state
    },
    list: () => [...states.values()],
    end() {
      running.abort(new Error('the process stops'))
      running = new AbortController()
    },
  }
}
