import type { Clock } from '@tailwater/core'
import { outgoingHeaders } from '@tailwater/http'
import type { Policy } from '@tailwater/messaging'
import { MarketplaceError } from './marketplace_error.ts'
import { RequestPace } from './request_pace.ts'

/** How a marketplace is reached. */
export interface MarketplaceClientOptions {
  slug: string
  /** Without a slash at its end; asked for at each call where it is not known before. */
  baseUrl: string | (() => string)
  clock: Clock
  /** Time limit, further tries and breaker of its calls. */
  policy: Pick<Policy, 'execute'>
  /** Requests a second. @default 20 */
  rate?: number
}

/** One request, signed at the moment that it is given. */
export interface SignedRequest {
  method: string
  /** With its query. */
  path: string
  headers?: Readonly<Record<string, string>>
  body?: string
}

/** An answer, as JSON. */
export interface MarketplaceAnswer {
  status: number
  headers: Headers
  body: Readonly<Record<string, unknown>>
}

/** An answer that is taken: it may not be wanted, but the marketplace is there. */
type Reading = MarketplaceAnswer | { limitedFor: number }

/** Bytes of an answer at most: somebody else's server may send anything. */
const MOST_BYTES = 4_194_304
/** Milliseconds to leave a marketplace alone that does not say for how long. */
const DEFAULT_HOLD = 1_000
/** Tries at a request that was put off: each time others of this process may have been faster. */
const MOST_HOLDS = 10

/** Calls one marketplace over HTTP: paced, limited in time, with a breaker; what comes back is JSON or an error of ours. */
export class MarketplaceClient {
  readonly #options: MarketplaceClientOptions
  readonly #pace: RequestPace

  constructor(options: MarketplaceClientOptions) {
    this.#options = options
    this.#pace = new RequestPace(options.clock, options.rate ?? 20)
  }

  get now(): number {
    return this.#options.clock.now()
  }

  /**
   * @param sign makes the request, anew for each try
   * @param limitOf milliseconds to wait, when an answer other than 429 means that there were too many
   * @throws E_MARKETPLACE_LIMITED, E_MARKETPLACE_UNREACHABLE
   */
  async call(
    sign: (at: number) => SignedRequest,
    signal: AbortSignal | undefined,
    limitOf: (answer: MarketplaceAnswer) => number | undefined = () => undefined,
  ): Promise<MarketplaceAnswer> {
    const { policy, slug, clock } = this.#options
    for (let hold = 1; ; hold++) {
      await this.#pace.turn(signal)
      const reading = await policy.execute(
        (limited) => this.#send(sign(clock.now()), limited, limitOf),
        signal ? { signal } : {},
      )
      if (!('limitedFor' in reading)) return reading
      this.#pace.hold(reading.limitedFor)
      if (hold === MOST_HOLDS)
        throw new MarketplaceError('E_MARKETPLACE_LIMITED', `${slug} wants fewer requests`, {
          retryAfter: reading.limitedFor,
        })
    }
  }

  async #send(
    request: SignedRequest,
    signal: AbortSignal,
    limitOf: (answer: MarketplaceAnswer) => number | undefined,
  ): Promise<Reading> {
    const { baseUrl } = this.#options
    const { method, path, headers, body } = request
    const answer = await this.#received(
      fetch((typeof baseUrl === 'string' ? baseUrl : baseUrl()) + path, {
        method,
        headers: {
          ...outgoingHeaders(),
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body }),
        redirect: 'error',
        signal,
      }),
      signal,
    )
    if (answer.status === 429) return { limitedFor: retryAfterOf(answer.headers, this.now) ?? DEFAULT_HOLD }
    const limitedFor = limitOf(answer)
    return limitedFor === undefined ? answer : { limitedFor }
  }

  async #received(sent: Promise<Response>, signal: AbortSignal): Promise<MarketplaceAnswer> {
    try {
      const response = await sent
      const text = await readText(response)
      if (response.status >= 500) throw this.#unreachable(`answered ${response.status}`, { status: response.status })
      return { status: response.status, headers: response.headers, body: this.#parse(text, response.status) }
    } catch (error) {
      // Whoever gave the signal is told by it.
      signal.throwIfAborted()
      throw error instanceof MarketplaceError ? error : this.#unreachable('does not answer', { cause: error })
    }
  }

  #parse(text: string, status: number): Readonly<Record<string, unknown>> {
    try {
      const parsed: unknown = JSON.parse(text)
      if (typeof parsed === 'object' && parsed !== null) return parsed as Readonly<Record<string, unknown>>
    } catch (cause) {
      throw this.#unreachable('answered something other than JSON', { status, cause })
    }
    throw this.#unreachable('answered something other than an object', { status })
  }

  #unreachable(what: string, details: { status?: number; cause?: unknown }): MarketplaceError {
    return new MarketplaceError('E_MARKETPLACE_UNREACHABLE', `${this.#options.slug} ${what}`, details)
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MOST_BYTES) throw new Error(`the answer is larger than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Seconds or a date (RFC 9110, 10.2.3), in milliseconds from now. */
function retryAfterOf(headers: Headers, now: number): number | undefined {
  const given = headers.get('retry-after')
  if (!given) return undefined
  const ms = /^\d+$/.test(given) ? Number(given) * 1_000 : Date.parse(given) - now
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), 60_000) : undefined
}
