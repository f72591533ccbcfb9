import { type Clock, hasCode, TailwaterError } from '@tailwater/core'
import { BrokenCircuitError, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel'
import { Value } from 'typebox/value'
import { postJson } from '../outside/json_post.ts'
import { type Assessment, assessmentSchema, type QualityProvider } from './quality_provider.ts'

/** How a model is reached. */
export interface HttpQualityOptions {
  url: string
  token?: string | undefined
  clock: Clock
  /** Milliseconds that an answer may take. @default 45_000 */
  timeout?: number
  /** Failures in a row after which it is left alone. @default 5 */
  failures?: number
  /** Milliseconds for which it is left alone. @default 30_000 */
  pause?: number
}

/**
 * Asks a model over HTTP: `POST url` with the product, answered by `{ score, findings }`.
 *
 * A circuit breaker stands before it. After some failures in a row nobody asks for a while, so that a model that is down costs no job its attempts and no caller its
 * time; then one call is let through, and its outcome decides. A request that the model refuses for itself is no failure of the model.
 *
 * The pause is ours, because cockatiel reads the machine's clock.
 */
export function createHttpQualityProvider({
  url,
  token,
  clock,
  timeout = 45_000,
  failures = 5,
  pause = 30_000,
}: HttpQualityOptions): QualityProvider {
  const isFailure = handleWhen((error) => hasCode(error, 'E_QUALITY_UNAVAILABLE'))
  const circuit = circuitBreaker(isFailure, { halfOpenAfter: 0, breaker: new ConsecutiveBreaker(failures) })
  let closedUntil = Number.NEGATIVE_INFINITY
  circuit.onBreak(() => {
    closedUntil = clock.elapsed() + pause
  })
  const wait = () => Math.max(0, closedUntil - clock.elapsed())
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }

  return {
    name: 'http',
    get wait() {
      return wait()
    },
    async assess(product, { signal } = {}) {
      if (wait() > 0) throw leftAlone()
      const body = JSON.stringify(product)
      try {
        return await circuit.execute(async () =>
          read(await postJson({ url, body, headers, timeout, clock, code: 'E_QUALITY_UNAVAILABLE', signal })),
        )
      } catch (error) {
        throw error instanceof BrokenCircuitError ? leftAlone() : error
      }
    },
  }
}

function leftAlone(): TailwaterError {
  return new TailwaterError(
    'E_QUALITY_UNAVAILABLE',
    'the model has failed several times in a row and is left alone for a while',
  )
}

function read(answer: unknown): Assessment {
  if (Value.Check(assessmentSchema, answer)) return Value.Clean(assessmentSchema, answer) as Assessment
  throw new TailwaterError('E_QUALITY_UNAVAILABLE', 'the model answered with something that is no assessment')
}
