import { backgroundError, notice, sleep, toError } from '@tailwater/core'
import { messagingError } from '../../errors.ts'
import type { AmqpAddress } from './address.ts'
import { type ChannelModel, closeQuietly, openConnection, replyCode } from './amqp.ts'
import type { ResolvedRabbitMqOptions } from './options.ts'

/*
 * A connection that heals. Its modes:
 * - idle: not started, or stopped;
 * - connecting: no connection; attempts go round the addresses with growing pauses;
 * - restoring: connected; what stands on it (topology, channels, consumers) is being made again, in the order in which it was registered;
 * - up: others may use it, until it is lost.
 */

/** Milliseconds that a connection should last. */
const SHORT_LIFE = 1_000

/** Milliseconds for a connection to close in order. */
const FAREWELL = 2_000

/** Makes again what stands on a connection. Failing, it costs the connection, and the next one is tried. */
export type Restore = (connection: ChannelModel) => Promise<void>

/** A connection to the broker for one purpose, made again whenever it is lost. */
export class Link {
  readonly #options: ResolvedRabbitMqOptions
  readonly #purpose: string
  readonly #restores: Restore[] = []
  readonly #lost: (() => void)[] = []
  #stopping: AbortController | undefined
  #running: Promise<void> | undefined
  #connection: ChannelModel | undefined
  #isUp = false
  #isBlocked = false
  #lastError: Error | undefined
  #waiting: (() => void)[] = []
  #next = 0

  constructor(options: ResolvedRabbitMqOptions, purpose: string) {
    this.#options = options
    this.#purpose = purpose
  }

  /** Started and not stopped, whether there is a connection or not. */
  get isRunning(): boolean {
    return this.#running !== undefined
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** The broker has said that it takes nothing: memory or disk are used up. */
  get isBlocked(): boolean {
    return this.#isBlocked
  }

  get lastError(): Error | undefined {
    return this.#lastError
  }

  /** The connection, if it is up. @throws E_MESSAGE_BLOCKED otherwise */
  get connection(): ChannelModel {
    if (this.#connection && this.#isUp) return this.#connection
    throw messagingError('E_MESSAGE_BLOCKED', `RabbitMQ is away (${this.#lastError?.message ?? 'not connected'})`, {
      cause: this.#lastError,
    })
  }

  /** Registers what stands on the connection, before `start`. */
  onConnect(restore: Restore, lost: () => void = () => {}): void {
    this.#restores.push(restore)
    this.#lost.push(lost)
  }

  /** Resolves when it is up. @throws the last error when that takes longer than `connectTimeout`, unless it may start lazily */
  async start(): Promise<void> {
    const stopping = new AbortController()
    this.#stopping = stopping
    let settle: { resolve(): void; reject(error: Error): void } | undefined
    const first = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject }
    })
    this.#running = this.#run(stopping.signal, (error) => (error ? settle!.reject(error) : settle!.resolve()))
    try {
      await first
    } catch (error) {
      if (this.#options.lazy) return
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#stopping?.abort(new Error('stopped'))
    this.#isUp = false
    this.#wake()
    // A broker that answers nothing is not waited for; its silence ends the connection before long.
    await Promise.race([closeQuietly(this.#connection), sleep(this.#options.clock, FAREWELL)])
    await Promise.race([this.#running, sleep(this.#options.clock, FAREWELL)])
    this.#running = undefined
  }

  /** Resolves with the connection when it is up, at once if it is. @throws E_MESSAGE_BLOCKED after `connectTimeout`, or when it is stopped */
  async up(): Promise<ChannelModel> {
    const { clock, connectTimeout } = this.#options
    const deadline = clock.elapsed() + connectTimeout
    while (!this.#isUp && this.#stopping && !this.#stopping.signal.aborted && clock.elapsed() < deadline)
      await new Promise<void>((resolve) => {
        const cancel = clock.after(Math.max(1, deadline - clock.elapsed()), resolve)
        this.#waiting.push(() => {
          cancel()
          resolve()
        })
      })
    return this.connection
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** @param told of the first connection, or why there is none after a round of all addresses */
  async #run(signal: AbortSignal, told: (error?: Error) => void): Promise<void> {
    const { clock, reconnect, addresses } = this.#options
    let failures = 0
    let wasUp = false
    while (!signal.aborted) {
      const from = clock.elapsed()
      try {
        const { closed } = await this.#connect(signal)
        told()
        wasUp = true
        await closed
        // Lost as soon as it was made: a broker that is going down. As bad as none.
        failures = clock.elapsed() - from < SHORT_LIFE ? failures + 1 : 0
      } catch (error) {
        failures++
        this.#lastError = this.#explain(toError(error))
        if (failures >= addresses.length) told(this.#lastError)
        // Who starts it is told by the error.
        if (backgroundError.hasSubscribers && failures === 1 && !signal.aborted && (wasUp || this.#options.lazy))
          backgroundError.publish({ source: `rabbitmq ${this.#purpose}`, error: this.#lastError })
      }
      if (failures > 0) await sleep(clock, pause(reconnect, failures), signal).catch(() => {})
    }
    told(new Error('stopped'))
  }

  /** Connects and restores; `closed` resolves when the connection is lost. */
  async #connect(signal: AbortSignal): Promise<{ closed: Promise<void> }> {
    const { addresses } = this.#options
    const address = addresses[this.#next++ % addresses.length]!
    const connection = await openConnection(this.#options, address, this.#purpose)
    const { promise: closed, resolve: lose } = Promise.withResolvers<void>()
    connection.on('close', (error) => {
      this.#end(connection, error)
      lose()
    })
    connection.on('blocked', (reason) => this.#block(true, String(reason), address))
    connection.on('unblocked', () => this.#block(false, '', address))
    this.#connection = connection
    this.#isBlocked = false
    try {
      if (signal.aborted) throw new Error('stopped')
      for (const restore of this.#restores) await restore(connection)
      if (signal.aborted) throw new Error('stopped')
    } catch (error) {
      await closeQuietly(connection)
      this.#end(connection, undefined)
      throw error
    }
    if (this.#connection !== connection) throw this.#lastError ?? new Error('the connection was lost at once')
    this.#isUp = true
    this.#wake()
    return { closed }
  }

  #end(connection: ChannelModel, error: unknown): void {
    if (this.#connection !== connection) return
    if (error !== undefined) this.#lastError = toError(error)
    this.#connection = undefined
    this.#isUp = false
    this.#isBlocked = false
    for (const lost of this.#lost) lost()
  }

  #block(isBlocked: boolean, reason: string, { hostname, port }: AmqpAddress): void {
    this.#isBlocked = isBlocked
    if (!notice.hasSubscribers) return
    const message = isBlocked ? `RabbitMQ takes nothing more: ${reason}` : 'RabbitMQ takes messages again'
    notice.publish({ source: 'rabbitmq', level: 'warn', message, fields: { host: `${hostname}:${port}` } })
  }

  #explain(error: Error): Error {
    const where = this.#options.addresses.map(({ hostname, port }) => `${hostname}:${port}`).join(', ')
    // amqplib's words for a broker that ends the connection where it should open the virtual host.
    if (/Expected ConnectionOpenOk/.test(error.message))
      return messagingError(
        'E_MESSAGE_UNAVAILABLE',
        `RabbitMQ at ${where} has no virtual host '${this.#options.addresses[0]!.vhost}', or this user may not enter it`,
        { cause: error },
      )
    const isRefused = replyCode(error) === 403 || /ACCESS_REFUSED|not allowed|NOT_ALLOWED/.test(error.message)
    const why = isRefused ? 'RabbitMQ refuses this user, or this virtual host' : 'RabbitMQ cannot be reached'
    return messagingError('E_MESSAGE_UNAVAILABLE', `${why} at ${where}: ${error.message}`, { cause: error })
  }
}

/** Milliseconds before the next attempt: all processes lose a broker at the same moment, and must not come back at the same moment. */
function pause({ min, max }: { min: number; max: number }, failures: number): number {
  const full = Math.min(max, min * 2 ** Math.min(30, failures - 1))
  return full / 2 + (full / 2) * Math.random()
}
