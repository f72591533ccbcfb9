import type { FarClaim, FarVersion } from '../far/far_backend.ts'
import type { FarClaimer, FarTier, Granting, LeaseAsker } from '../far_tier/far_tier.ts'
import type { Deadline, Deadlines } from './deadlines.ts'

/** Hears what became of a lease. */
export interface LeaseOwner {
  /** What `acquire` came to; undefined when the store cannot say: then nobody is to be waited for. */
  onGranting(granting: Granting): void
  /** What `claim` came to; undefined when the store cannot say. */
  onClaim(claim: FarClaim | undefined): void
}

/** The right to load a key, over all processes; renewed while it is held, so that only a dead holder loses it. */
export class LoadLease implements LeaseAsker, FarClaimer {
  /** With its namespace. */
  readonly key: string
  readonly token: string
  seen: FarVersion = ''
  readonly #far: FarTier
  readonly #deadlines: Deadlines
  readonly #owner: LeaseOwner
  #renewal: Deadline | undefined

  constructor(far: FarTier, deadlines: Deadlines, key: string, owner: LeaseOwner) {
    this.#far = far
    this.#deadlines = deadlines
    this.key = key
    this.token = far.newToken()
    this.#owner = owner
  }

  /** A write that names the lease gives it back. */
  get isHeld(): boolean {
    return this.#renewal !== undefined
  }

  /** Asks for it; not again before the answer. */
  acquire(seen: FarVersion): void {
    this.seen = seen
    this.#far.acquire(this)
  }

  /** Asks what lies under the key, and for the lease if that is nothing; not again before the answer. */
  claim(): void {
    this.#far.claim(this)
  }

  onGranting(granting: Granting): void {
    if (granting === 'granted') this.#renewLater()
    this.#owner.onGranting(granting)
  }

  onClaim(claim: FarClaim | undefined): void {
    if (claim?.lease === 'granted') this.#renewLater()
    this.#owner.onClaim(claim)
  }

  /** Lets it go, in the background. */
  release(): void {
    if (!this.#renewal) return
    this.end()
    void this.#far.release(this.key, this.token)
  }

  /** Renews it no more. */
  end(): void {
    if (this.#renewal) this.#deadlines.drop(this.#renewal)
    this.#renewal = undefined
  }

  #renewLater(): void {
    this.end()
    this.#renewal = this.#deadlines.set(this.#far.leaseTtl / 3, () => {
      this.#renewLater()
      void this.#far.renew(this.key, this.token)
    })
  }
}
