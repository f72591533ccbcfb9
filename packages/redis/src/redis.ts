import { createService, type Service } from '@tailwater/core'
import { sendBatch } from './batch.ts'
import { createBudget, type OpenConnection } from './budget.ts'
import { type Call, sendCall } from './call.ts'
import type { RedisArgument, RedisClient } from './client.ts'
import { createConnections, type DedicatedConnection } from './connections.ts'
import { redisError } from './errors.ts'
import { replyWord, toRedisError } from './failure.ts'
import { checkHealth, type RedisHealth } from './health.ts'
import { createKeyspace, type Keyspace } from './keyspace.ts'
import { unavailable } from './link.ts'
import { type RedisOptions, resolveRedisOptions } from './options.ts'
import { type ScanPage, type ScanQuery, scanPage } from './scan.ts'
import type { Script } from './script.ts'
import type { ChannelListener } from './subscription.ts'

/**
 * Redis or Valkey, whichever way it is set up: a single server, the master that sentinels name, or a cluster.
 *
 * Promises, checked by the tests of this package: while there is no connection a call fails at once (or waits within
 * `commandTimeout`, with `offlineQueue`); a call settles within `commandTimeout`; a lost connection is made again without being asked;
 * no call is repeated behind its caller's back, except by a cluster's client, whose master was lost while it
 * was under way. Every failure is an `E_REDIS_…`.
 */
export interface Redis extends Service {
  readonly topology: 'single' | 'sentinel' | 'cluster' | 'external'
  /** Where it is, without credentials. */
  readonly target: string
  readonly isReady: boolean
  /** Whether keys are spread over several servers, so that one command cannot touch any two. */
  readonly isCluster: boolean
  /**
   * Grows whenever a connection for commands was lost, in a cluster that to any node. What was not there may have been there since, and be forgotten again: a
   * server was restarted, or a replica took its place.
   */
  readonly generation: number
  /** Keys that belong together, under the connection's prefix: `prefix:{tag}:…`. @throws E_OPTIONS */
  keyspace(tag: string): Keyspace
  /** Runs one command; bulk replies come as text. */
  command<Reply = unknown>(command: string, ...args: RedisArgument[]): Promise<Reply>
  /** Runs one call, as `batch` would; with `bytes` bulk replies come as they are. */
  call<Reply = unknown>(call: Call): Promise<Reply>
  /** Runs a script by its hash, or by its text where the server does not know it. */
  run<Reply = unknown, const Keys extends readonly string[] = readonly string[]>(
    script: Script<Keys>,
    keys: { readonly [K in keyof Keys]: string },
    args?: readonly RedisArgument[],
    options?: { bytes?: boolean; at?: number },
  ): Promise<Reply>
  /** Runs calls together, and tells what became of each; rejects only if none could be sent. In a cluster every command needs its key as first argument, or beside them. */
  batch(calls: readonly Call[]): Promise<PromiseSettledResult<unknown>[]>
  /** Some of the keys of every master in turn, without blocking any: SCAN. What is there from the first page to the last is found, some of it twice. */
  scan(query: ScanQuery): Promise<ScanPage>
  /** Listens to a channel. Resolves when it is live, or at once when `start` was lazy and the server is away; the result ends it. */
  subscribe(channel: string, listener: ChannelListener): Promise<() => void>
  /**
   * Opens a connection of its own, for commands that block it. It is closed with this one, or by `close`.
   * @throws E_REDIS_CONNECTION_BUDGET
   */
  dedicated(label: string): Promise<DedicatedConnection>
  /** How it is, for a health check: asks the server. */
  health(): Promise<RedisHealth>
  connections(): readonly OpenConnection[]
}

/**
 * Makes a connection to Redis; `start` opens it.
 *
 * @throws E_OPTIONS on a wrong option
 * @example
 * const redis = createRedis({ url: 'redis://127.0.0.1:6379' })
 * await redis.start()
 * const key = redis.keyspace('greetings')
 * await redis.command('SET', key('en'), 'hello')
 */
export function createRedis(options?: RedisOptions): Redis {
  const resolved = resolveRedisOptions(options)
  const { commandTimeout, offlineQueue, clock, prefix } = resolved
  const connections = createConnections(resolved, createBudget(resolved.maxConnections))
  const { commands, target, topology } = connections
  let isStarted = false

  /** A client to send on, now or, with an offline queue, soon. */
  function ready(): RedisClient | Promise<RedisClient> {
    if (!isStarted)
      throw redisError('E_REDIS_CLOSED', `the connection to Redis at ${target} is not started, or stopped`, { target })
    const { client } = commands
    if (client) return client
    if (offlineQueue) return commands.whenReady(commandTimeout)
    throw unavailable(target, commands.lastError)
  }

  /** A cluster's client repeats a command on other nodes, each time with a new time limit; this one is for all of them. */
  function withinTime<T>(sending: Promise<T>): Promise<T> {
    if (topology !== 'cluster') return sending
    return new Promise((resolve, reject) => {
      const cancel = clock.after(commandTimeout, () =>
        reject(
          redisError('E_REDIS_TIMEOUT', `Redis at ${target} did not answer within ${commandTimeout} ms`, { target }),
        ),
      )
      sending.then(resolve, reject).finally(cancel)
    })
  }

  async function send(call: Call): Promise<unknown> {
    try {
      const client = await ready()
      return await withinTime(
        sendCall(client, call, 'hash').catch((error: unknown) => {
          if (replyWord(error) !== 'NOSCRIPT') throw error
          return sendCall(client, call, 'text')
        }),
      )
    } catch (error) {
      throw toRedisError(error, target)
    }
  }

  const service = createService('redis', {
    async start() {
      await connections.start()
      isStarted = true
    },
    async stop() {
      isStarted = false
      await connections.stop()
    },
  })

  return {
    ...service,
    topology,
    target,
    get isReady() {
      return isStarted && commands.client !== undefined
    },
    isCluster: topology === 'cluster' || resolved.client?.isCluster === true,
    get generation() {
      return commands.generation
    },
    keyspace: (tag) => createKeyspace(prefix, tag),
    command: <Reply>(command: string, ...args: RedisArgument[]) => send({ command, args }) as Promise<Reply>,
    call: <Reply>(call: Call) => send(call) as Promise<Reply>,
    run: <Reply>(script: Script, keys: readonly string[], args: readonly RedisArgument[] = [], more = {}) =>
      send({ script, keys, args, ...more }) as Promise<Reply>,
    async batch(calls) {
      if (calls.length === 0) return []
      const client = await ready()
      const outcomes = await withinTime(sendBatch(client, calls))
      return outcomes.map((outcome) =>
        'error' in outcome
          ? { status: 'rejected', reason: toRedisError(outcome.error, target) }
          : { status: 'fulfilled', value: outcome.reply },
      )
    },
    async scan(query) {
      try {
        return await withinTime(scanPage(await ready(), query))
      } catch (error) {
        throw toRedisError(error, target)
      }
    },
    subscribe: (channel, listener) => {
      if (!isStarted)
        throw redisError('E_REDIS_CLOSED', `the connection to Redis at ${target} is not started`, { target })
      return connections.subscribe(channel, listener)
    },
    dedicated: (label) => connections.dedicated(label),
    health: () => checkHealth(send, clock),
    connections: () => connections.list(),
  }
}
