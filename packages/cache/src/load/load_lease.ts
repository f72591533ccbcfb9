import type { Cancel, Clock } from '@tailwater/core'
import type { FarVersion } from '../far/far_backend.ts'
import type { FarTier, Granting, LeaseAsker } from '../far_tier/far_tier.ts'

/** The right to load a key, over all processes; renewed while it is held, so that only a dead holder loses it. */
export class LoadLease implements LeaseAsker {
  /** With its namespace. */
  readonly key: string
  readonly token: string
  seen: FarVersion = ''
  readonly #far: FarTier
  readonly #clock: Clock
  readonly #onAnswer: (granting: Granting) => void
  #cancel: Cancel | undefined

  /** @param onAnswer hears what `acquire` came to; undefined when the store cannot say: then nobody is to be waited for */
  constructor(far: FarTier, clock: Clock, key: string, onAnswer: (granting: Granting) => void) {
    this.#far = far
    this.#clock = clock
    this.key = key
    this.token = far.newToken()
    this.#onAnswer = onAnswer
  }

  /** A write that names the lease gives it back. */
  get isHeld(): boolean {
    return this.#cancel !== undefined
  }

  /** Asks for it; not again before the answer. */
  acquire(seen: FarVersion): void {
    this.seen = seen
    this.#far.acquire(this)
  }

  onGranting(granting: Granting): void {
    if (granting === 'granted') this.#renewLater()
    this.#onAnswer(granting)
  }

  /** Lets it go, in the background. */
  release(): void {
    if (!this.#cancel) return
    this.end()
    void this.#far.release(this.key, this.token)
  }

  /** Renews it no more. */
  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #renewLater(): void {
    this.#cancel = this.#clock.after(this.#far.leaseTtl / 3, () => {
      this.#renewLater()
      void this.#far.renew(this.key, this.token)
    })
  }
}
