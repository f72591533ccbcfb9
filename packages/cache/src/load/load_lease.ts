import { type Cancel, type Clock, newId } from '@tailwater/core'
import type { FarVersion } from '../far/far_backend.ts'
import type { FarTier, Granting } from '../far_tier/far_tier.ts'

/** The right to load a key, over all processes; renewed while it is held, so that only a dead holder loses it. */
export class LoadLease {
  readonly #far: FarTier
  readonly #clock: Clock
  readonly #key: string
  readonly #token = newId()
  #cancel: Cancel | undefined

  constructor(far: FarTier, clock: Clock, key: string) {
    this.#far = far
    this.#clock = clock
    this.#key = key
  }

  /** Names the lease in a write, which gives it back; undefined while it is not held. */
  get token(): string | undefined {
    return this.#cancel && this.#token
  }

  /** Undefined when the store cannot say: then nobody is to be waited for. */
  async acquire(seen: FarVersion): Promise<Granting> {
    const answer = await this.#far.acquire(this.#key, seen, this.#token)
    if (answer === 'granted') this.#renewLater()
    return answer
  }

  /** Lets it go, in the background. */
  release(): void {
    if (!this.#cancel) return
    this.end()
    void this.#far.release(this.#key, this.#token)
  }

  /** Renews it no more. */
  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #renewLater(): void {
    this.#cancel = this.#clock.after(this.#far.leaseTtl / 3, () => {
      this.#renewLater()
      void this.#far.renew(this.#key, this.#token)
    })
  }
}
