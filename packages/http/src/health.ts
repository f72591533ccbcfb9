import {
  boolean,
  type Clock,
  type Duration,
  duration,
  optional,
  optionsError,
  resolveOptions,
  systemClock,
  value,
} from '@tailwater/core'
import type { Drain } from './drain.ts'
import type { Exchange } from './exchange.ts'
import { type CheckedHealth, createCheckRunner, type HealthCheck, type HealthState } from './health_check.ts'

/** Options of `createHealth`. */
export interface HealthOptions {
  checks?: readonly HealthCheck[]
  /** Who may see `/health` with its reasons. Without it the route answers nobody. */
  authorize?: (exchange: Exchange) => boolean | Promise<boolean>
  /** Makes `ready` say no from the beginning of the drain on. */
  drain?: Pick<Drain, 'isDraining'>
  /** Time for each check. @default '2s' */
  timeout?: Duration
  /** How long a finding is good for. @default '1s' */
  cacheFor?: Duration
  /** Whether the service counts as ready before `setReady(true)`. @default true */
  ready?: boolean
  clock?: Clock
}

/** The whole and its parts. */
export interface HealthReport {
  state: HealthState
  isDraining: boolean
  checks: Record<string, CheckedHealth>
}

/** What is known of the service's health. */
export interface Health {
  /** Runs the checks, or repeats what they found just now. */
  report(): Promise<HealthReport>
  /** Whether requests should be sent here: started, not draining, nothing critical down. */
  isReady(): Promise<boolean>
  /** For the time before everything has started. */
  setReady(ready: boolean): void
  isAuthorized(exchange: Exchange): Promise<boolean>
}

const isFunction = (given: unknown) => typeof given === 'function'
const isObject = (given: unknown) => typeof given === 'object' && given !== null
const isCheck = (given: unknown) =>
  isObject(given) && typeof (given as HealthCheck).name === 'string' && isFunction((given as HealthCheck).check)
const areChecks = (given: unknown) => Array.isArray(given) && given.every(isCheck)

/** Checks the options of `createHealth` and fills in their defaults. @throws E_OPTIONS */
export function resolveHealthOptions(options: HealthOptions = {}) {
  const resolved = resolveOptions('health', options, {
    checks: value<readonly HealthCheck[]>('a list of { name, check }', areChecks, { default: [] }),
    authorize: optional(value<(exchange: Exchange) => boolean | Promise<boolean>>('a function', isFunction)),
    drain: optional(value<Pick<Drain, 'isDraining'>>('a Drain', isObject)),
    timeout: duration({ min: 1, default: '2s' }),
    cacheFor: duration({ default: '1s' }),
    ready: boolean({ default: true }),
    clock: value<Clock>('a Clock', isObject, { default: systemClock }),
  })
  const names = resolved.checks.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw optionsError('health.checks', 'checks of different names', twice)
  return resolved
}

/**
 * Keeps an eye on what the service depends on. `healthRoutes` shows it.
 *
 * @throws E_OPTIONS on a wrong option
 * @example
 * const health = createHealth({ checks: [{ name: 'database', check: async () => void (await pool.query('SELECT 1')) }] })
 */
export function createHealth(options?: HealthOptions): Health {
  const resolved = resolveHealthOptions(options)
  const { authorize, drain, ...limits } = resolved
  const runners = resolved.checks.map((check) => createCheckRunner(check, limits))
  let ready = resolved.ready

  async function report(): Promise<HealthReport> {
    const found = await Promise.all(runners.map(async (runner) => [runner.name, await runner.run()] as const))
    return {
      state: worst(found.map(([, health]) => health)),
      isDraining: drain?.isDraining ?? false,
      checks: Object.fromEntries(found),
    }
  }

  return {
    report,
    async isReady() {
      return ready && !drain?.isDraining && (await report()).state !== 'down'
    },
    setReady(isReady) {
      ready = isReady
    },
    isAuthorized: async (exchange) => (await authorize?.(exchange)) === true,
  }
}

/** The state of the whole: a part that is not critical can only degrade it. */
function worst(parts: readonly CheckedHealth[]): HealthState {
  if (parts.some(({ state, critical }) => state === 'down' && critical)) return 'down'
  return parts.some(({ state }) => state !== 'up') ? 'degraded' : 'up'
}
