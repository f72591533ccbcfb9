import type { Server } from 'node:http'
import { type Clock, sleep, systemClock } from '@tailwater/core'
import type { Middleware } from './middleware.ts'

/**
 * The orderly end of a server: what is being answered is answered, and clients are led elsewhere.
 *
 * Its modes: open; draining, from `begin`, when health says not ready, replies carry `Connection: close` and idle
 * connections end; settled, when nothing is in flight.
 */
export interface Drain {
  /** Counts requests and closes connections; put it first in the list, so that nothing ends before it knows. */
  readonly middleware: Middleware
  readonly isDraining: boolean
  /** Requests whose last byte is not sent yet. */
  readonly inFlight: number
  /** Aborts at `begin`: give it to an adapter as `closing`, so that event streams end. */
  readonly closing: AbortSignal
  /** Begins to drain; again does nothing. */
  begin(): void
  /** Resolves to true when nothing is in flight any more, or to false at the deadline, a `Clock.elapsed` reading. */
  settled(deadline?: number): Promise<boolean>
  /**
   * The whole end: `begin`, stop listening, close connections as they fall idle, wait until the deadline, and then
   * destroy what is left. Resolves to how many requests were cut off.
   */
  close(server: Server, deadline?: number): Promise<number>
}

/**
 * Milliseconds without a new request from `begin` to the end of listening. A request on its way over an idle connection is still
 * answered, and tells its client to close; closing at once would reset it (RFC 9112, section 9.6), and with it the connections that a
 * busy process has not come to accept yet.
 */
const GRACE = 100

/** Milliseconds after which listening ends though requests keep coming: whoever still sends them does not look at `Connection: close`. */
const LONGEST_GRACE = 2_000

/** Milliseconds for connections without a request in flight to end by themselves: half-sent requests, or a browser's spare ones. */
const LINGER = 250

/**
 * Lets the event loop accept and read what has arrived. After a pause of the process (a busy machine, a long collection) the timer that ends a
 * wait fires before that, and connections that the kernel has long accepted would be reset.
 */
const pollOnce = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

/** Makes a drain for one server. */
export function createDrain({ clock = systemClock }: { clock?: Clock } = {}): Drain {
  const closing = new AbortController()
  const waiting = new Set<() => void>()
  let inFlight = 0
  let begun = 0

  const middleware: Middleware = {
    name: 'drain',
    before() {
      inFlight++
      begun++
    },
    after(exchange, reply) {
      if (closing.signal.aborted) exchange.replyHeaders['connection'] = 'close'
      return reply
    },
    finish() {
      inFlight--
      if (inFlight === 0) for (const wake of waiting) wake()
    },
  }

  const begin = () => closing.abort(new Error('the server is draining'))

  /** Resolves when no request has come for the time of grace, or at `until`. */
  async function quiet(until: number): Promise<void> {
    for (let seen = -1; seen !== begun && clock.elapsed() < until; ) {
      seen = begun
      await sleep(clock, Math.max(0, Math.min(GRACE, until - clock.elapsed())))
      await pollOnce()
    }
  }

  function settled(deadline = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (inFlight === 0) return Promise.resolve(true)
    return new Promise((resolve) => {
      const cancel =
        deadline === Number.POSITIVE_INFINITY
          ? () => {}
          : clock.after(Math.max(0, deadline - clock.elapsed()), () => done(false))
      const wake = () => done(true)
      const done = (isSettled: boolean) => {
        cancel()
        waiting.delete(wake)
        resolve(isSettled)
      }
      waiting.add(wake)
    })
  }

  return {
    middleware,
    get isDraining() {
      return closing.signal.aborted
    },
    get inFlight() {
      return inFlight
    },
    closing: closing.signal,
    begin,
    settled,
    async close(server, deadline = Number.POSITIVE_INFINITY) {
      begin()
      await quiet(Math.min(deadline, clock.elapsed() + LONGEST_GRACE))
      // Ends idle connections too.
      let isClosed = false
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          isClosed = true
          resolve()
        })
      })
      for (;;) {
        const isSettled = await settled(deadline)
        const cut = inFlight
        if (isSettled) await Promise.race([closed, sleep(clock, LINGER)])
        if (isSettled) await pollOnce()
        if (isClosed) return cut
        server.closeIdleConnections()
        // A request may have come meanwhile, over a connection that was open: it is answered too.
        if (isSettled && inFlight > 0) continue
        server.closeAllConnections()
        await closed
        return cut
      }
    },
  }
}
