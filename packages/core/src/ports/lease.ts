/** Ownership of a name for a limited time. */
export interface Lease {
  readonly name: string
  readonly holder: string
  /** Grows by at least one each time the lease changes hands: a fencing token for the holder's writes. */
  readonly epoch: bigint
  /** Milliseconds the lease had left, by the store's clock, when it was granted or renewed. */
  readonly ttl: number
}

/**
 * Leases in a store's own time: no process's clock is trusted.
 *
 * Promises, checked by `leaseContract`: at most one live lease a name; `acquire` by the live holder renews with the same epoch; after expiry
 * anyone acquires, with a greater epoch; `renew` and `release` with a stale epoch change nothing.
 */
export interface LeaseStore {
  /** The lease, or undefined while somebody else holds it. */
  acquire(name: string, holder: string, ttl: number): Promise<Lease | undefined>
  /** The renewed lease, or undefined when it was lost. */
  renew(lease: Lease, ttl: number): Promise<Lease | undefined>
  /** True when it was still held. */
  release(lease: Lease): Promise<boolean>
}
