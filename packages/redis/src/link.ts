import {
  type Clock,
  type RedisConnectionEvent,
  redisConnection,
  sleep,
  type TailwaterError,
  toError,
} from '@tailwater/core'
import { type BackoffBounds, backoff } from './backoff.ts'
import type { RedisClient } from './client.ts'
import { redisError } from './errors.ts'
import { toRedisError } from './failure.ts'

/**
 * A connection that is made again whenever it is lost.
 *
 * Its modes: stopped; connecting, also after each loss; ready, when `client` is there.
 */
export interface Link {
  readonly label: string
  readonly target: string
  /** Ready for commands, or undefined. */
  readonly client: RedisClient | undefined
  /** Grows whenever a connection was lost: the server, or its successor, may have forgotten what it knew. */
  readonly generation: number
  /** Why there was no connection at the last attempt. */
  readonly lastError: Error | undefined
  /** Connects. Rejects if the first attempt fails, unless `lazy`; then it goes on trying. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Resolves as soon as there is a client. @throws E_REDIS_UNAVAILABLE after `timeout` milliseconds; without it waits for ever */
  whenReady(timeout?: number): Promise<RedisClient>
}

/** What a link needs. */
export interface LinkOptions {
  label: string
  target: string
  lazy: boolean
  clock: Clock
  reconnect: BackoffBounds
  /** Milliseconds for one attempt, handshake included. */
  connectTimeout: number
  /** Makes a client that is not connected yet, and does not reconnect by itself. */
  dial(): Promise<RedisClient>
  /** Runs on each new connection before it counts as ready. */
  prepare?(client: RedisClient): Promise<void>
}

/** Milliseconds for the last replies when a link is stopped. */
export const FAREWELL = 500

/** Makes a link of single connections, one client after another. */
export function createLink(options: LinkOptions): Link {
  const { label, target, clock, lazy, reconnect } = options
  const waiting = new Set<(client: RedisClient) => void>()
  let client: RedisClient | undefined
  let generation = 0
  let lastError: Error | undefined
  let stopping = new AbortController()
  let running: Promise<void> = Promise.resolve()

  function tell(change: RedisConnectionEvent['change'], error?: Error): void {
    if (redisConnection.hasSubscribers) redisConnection.publish({ label, target, change, ...(error && { error }) })
  }

  async function keepConnected(
    signal: AbortSignal,
    isConnected: () => void,
    hasFailed: (error: Error) => void,
  ): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        const next = await connectOnce(options, signal)
        failures = 0
        const ended = endOf(next)
        client = next
        generation++
        lastError = undefined
        tell('connected')
        isConnected()
        for (const wake of waiting) wake(next)
        lastError = await ended
        client = undefined
        if (!signal.aborted) tell('lost', lastError)
      } catch (error) {
        failures++
        lastError = toError(error)
        if (!signal.aborted) tell('failed', lastError)
        hasFailed(lastError)
      }
      if (!signal.aborted) await sleep(clock, backoff(reconnect, failures), signal).catch(() => {})
    }
  }

  return {
    label,
    target,
    get client() {
      return client
    },
    get generation() {
      return generation
    },
    get lastError() {
      return lastError
    },
    async start() {
      const mine = new AbortController()
      stopping = mine
      const first = new Promise<void>((resolve, reject) => {
        running = keepConnected(mine.signal, resolve, reject)
      })
      if (lazy) {
        first.catch(() => {})
        return
      }
      await first.catch(async (error: unknown) => {
        mine.abort()
        await running
        throw error
      })
    },
    async stop() {
      const leaving = client
      client = undefined
      stopping.abort()
      if (leaving) {
        // QUIT is answered after everything before it.
        await Promise.race([leaving.quit().catch(() => {}), sleep(clock, FAREWELL)])
        leaving.disconnect()
      }
      await running
      if (leaving) tell('closed')
    },
    whenReady(timeout) {
      if (client) return Promise.resolve(client)
      return new Promise((resolve, reject) => {
        const wake = (ready: RedisClient) => {
          cancel()
          waiting.delete(wake)
          resolve(ready)
        }
        const giveUp = () => {
          waiting.delete(wake)
          reject(unavailable(target, lastError))
        }
        const cancel = timeout === undefined ? () => {} : clock.after(timeout, giveUp)
        waiting.add(wake)
      })
    },
  }
}

/** The error of a command for which there is no connection. */
export function unavailable(target: string, cause: Error | undefined): TailwaterError {
  const reason = cause ? `: ${cause.message}` : ''
  return redisError('E_REDIS_UNAVAILABLE', `there is no connection to Redis at ${target}${reason}`, {
    target,
    sent: false,
    cause,
  })
}

/** The error with which a connected client ends. */
function endOf(client: RedisClient): Promise<Error> {
  return new Promise((resolve) => {
    let reason: Error = new Error('the connection was closed')
    client.on('error', (error) => {
      reason = toError(error)
    })
    client.on('end', () => resolve(reason))
    // Ended before anybody listened.
    if (client.status === 'end') resolve(reason)
  })
}

async function connectOnce(options: LinkOptions, signal: AbortSignal): Promise<RedisClient> {
  const { dial, prepare, target, connectTimeout, clock } = options
  const over = new AbortController()
  const cancel = clock.after(connectTimeout, () => over.abort(new Error(`no connection within ${connectTimeout} ms`)))
  const either = AbortSignal.any([signal, over.signal])
  let client: RedisClient | undefined
  let reason: unknown
  try {
    client = await orAborted(dial(), either)
    // `connect` rejects with "Connection is closed"; the reason comes as an event, and without a listener it would be printed.
    client.on('error', (error) => {
      reason ??= error
    })
    await orAborted(client.connect(), either)
    await orAborted(prepare?.(client) ?? Promise.resolve(), either)
    return client
  } catch (error) {
    client?.disconnect()
    throw toRedisError(either.aborted ? either.reason : (reason ?? error), target)
  } finally {
    cancel()
  }
}

/** Waits no longer than the signal lets it: a password function, or a frozen server, may never answer. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(toError(signal.reason))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
