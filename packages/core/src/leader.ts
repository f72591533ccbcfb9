import { type Cancel, type Clock, systemClock } from './clock.ts'
import { toError } from './errors.ts'
import { backgroundError } from './events/runtime.ts'
import { createService, type Service } from './lifecycle.ts'
import type { Lease, LeaseStore } from './ports/lease.ts'

/** A term of office. */
export interface Leadership {
  /** Goes into every write of this leader, so that those of a deposed one are refused. */
  readonly epoch: bigint
  /** Aborts when the term ends, before the lease can have expired. */
  readonly signal: AbortSignal
}

/** How a leader is made. */
export interface LeaderOptions {
  leases: LeaseStore
  /** Of the lease that candidates compete for. */
  name: string
  /** Who this candidate is; `processIdentity` unless one process has several. */
  holder: string
  /** Milliseconds until another may take over from a leader that has gone silent. */
  ttl: number
  /** @default systemClock */
  clock?: Clock
  /**
   * Begins the work, or is the work until the signal aborts. The lease is not given back, and this process does not stand again, before it has settled.
   * A rejection ends the term.
   */
  onElected(leadership: Leadership): void | Promise<void>
  /** Ends what `onElected` set going, after the signal has aborted; waited for likewise. */
  onDeposed?(): void | Promise<void>
}

/** A candidate for a leadership; a leader from time to time. */
export interface Leader extends Service {
  /** The term of office, by this process's own clock; undefined while somebody else may lead. */
  current(): Leadership | undefined
  /** Ends the term at once, for example when a write was refused; it stands again after a third of the ttl. */
  resign(): void
}

/** Attempts and renewals in one ttl: two may fail before the lease is lost. */
const TRIES_PER_TTL = 3
/** Part of the ttl by which a leader stops before its lease could end: its last write is under way for a while. */
const MARGIN = 0.1

interface Term extends Leadership {
  readonly controller: AbortController
  lease: Lease
  /** By the monotonic clock of this process. */
  validUntil: number
  /** What `onElected` returned, settled. */
  work: Promise<void>
  /** The end, once it is under way. */
  end: Promise<void> | undefined
}

/**
 * Keeps a lease, and tells when this process leads.
 *
 * Modes: *stopped*; *candidate* (asks for the lease every third of the ttl); *leader* (renews as often).
 *
 * All that is known of a granted lease's end is that the store counted the ttl from a moment after the request was sent. So a term
 * is valid for the ttl from the sending, less a margin, by this process's monotonic clock; no wall clock is compared. A
 * process that was frozen finds its term over before it does anything else, if it asks `current`; if it doesn't, the epoch in its
 * writes is what protects the data. While the store is away the leader goes on until its term ends.
 */
export function createLeader(options: LeaderOptions): Leader {
  const { leases, name, holder, ttl, clock = systemClock, onElected, onDeposed } = options
  let term: Term | undefined
  /** Of the present run; undefined when stopped. An answer that comes in after its run ended is not acted upon. */
  let run: object | undefined
  let turn: Promise<void> = Promise.resolve()
  let cancelTurn: Cancel = () => {}
  let cancelEnd: Cancel = () => {}

  const isOver = (of: Term) => of.signal.aborted || clock.elapsed() >= of.validUntil

  /** Attempts to get or to keep the lease, and sets the next attempt. */
  async function takeTurn(within: object): Promise<void> {
    try {
      if (term && isOver(term)) await endTerm(term)
      else if (term) await renew(term)
      else await stand(within)
    } catch (error) {
      report(error)
    }
    if (run !== within) return
    cancelTurn = clock.after(ttl / TRIES_PER_TTL, () => {
      turn = takeTurn(within)
    })
  }

  async function stand(within: object): Promise<void> {
    const sentAt = clock.elapsed()
    const lease = await leases.acquire(name, holder, ttl)
    if (!lease) return
    if (run === within) begin(lease, sentAt)
    else if (!run) await leases.release(lease)
  }

  function begin(lease: Lease, sentAt: number): void {
    const controller = new AbortController()
    const { signal } = controller
    const own: Term = {
      epoch: lease.epoch,
      signal,
      controller,
      lease,
      validUntil: 0,
      work: Promise.resolve(),
      end: undefined,
    }
    term = own
    prolong(own, sentAt)
    own.work = Promise.resolve()
      .then(() => (isOver(own) ? undefined : onElected(own)))
      .catch((error: unknown) => {
        report(error)
        resign(own)
      })
  }

  function prolong(of: Term, sentAt: number): void {
    of.validUntil = sentAt + ttl * (1 - MARGIN)
    cancelEnd()
    cancelEnd = clock.after(Math.max(0, of.validUntil - clock.elapsed()), () => resign(of))
  }

  async function renew(of: Term): Promise<void> {
    const sentAt = clock.elapsed()
    const lease = await leases.renew(of.lease, ttl)
    if (of.end) return
    if (!lease) return endTerm(of)
    of.lease = lease
    prolong(of, sentAt)
  }

  /** Joins an end under way. */
  function endTerm(of: Term): Promise<void> {
    of.end ??= (async () => {
      cancelEnd()
      of.controller.abort(new Error(`no longer the leader of ${name}`))
      try {
        await onDeposed?.()
        await of.work
      } finally {
        if (term === of) term = undefined
      }
      // A new term of a service that was stopped and started again has the same lease.
      if (!term) await leases.release(of.lease)
    })()
    return of.end
  }

  function resign(of: Term): void {
    void endTerm(of).catch(report)
  }

  function report(error: unknown): void {
    if (backgroundError.hasSubscribers) backgroundError.publish({ source: `leader ${name}`, error: toError(error) })
  }

  /** The work ends, and a request under way is waited for: what it grants is given back. */
  async function leave(): Promise<void> {
    if (term) await endTerm(term).catch(report)
    await turn
  }

  const service = createService(`leader ${name}`, {
    start() {
      const own = {}
      run = own
      turn = takeTurn(own)
    },
    async stop(deadline = clock.elapsed() + ttl) {
      run = undefined
      cancelTurn()
      let cancelWait: Cancel = () => {}
      const waited = new Promise<void>((resolve) => {
        cancelWait = clock.after(Math.max(0, deadline - clock.elapsed()), resolve)
      })
      await Promise.race([leave(), waited])
      cancelWait()
      term = undefined
    },
  })
  return {
    ...service,
    current: () => (term && !isOver(term) ? term : undefined),
    resign() {
      if (term) resign(term)
    },
  }
}
