import { type Clock, systemClock } from './clock.ts'
import type { Lease, LeaseStore } from './ports/lease.ts'

interface Grant {
  holder: string
  epoch: bigint
  expiresAt: number
}

/** Leases within one process: what a single process uses when there is neither PostgreSQL nor Redis. */
export function createMemoryLeases({ clock = systemClock }: { clock?: Clock } = {}): LeaseStore {
  const grants = new Map<string, Grant>()

  const isLive = (grant: Grant) => grant.expiresAt > clock.elapsed()
  const isHeldBy = (grant: Grant | undefined, lease: Lease): grant is Grant =>
    grant !== undefined && grant.epoch === lease.epoch && grant.holder === lease.holder && isLive(grant)

  function grantTo(name: string, holder: string, epoch: bigint, ttl: number): Lease {
    grants.set(name, { holder, epoch, expiresAt: clock.elapsed() + ttl })
    return { name, holder, epoch, ttl }
  }

  return {
    async acquire(name, holder, ttl) {
      const grant = grants.get(name)
      if (grant && isLive(grant)) return grant.holder === holder ? grantTo(name, holder, grant.epoch, ttl) : undefined
      return grantTo(name, holder, (grant?.epoch ?? 0n) + 1n, ttl)
    },
    async renew(lease, ttl) {
      const grant = grants.get(lease.name)
      return isHeldBy(grant, lease) ? grantTo(lease.name, lease.holder, grant.epoch, ttl) : undefined
    },
    async release(lease) {
      const grant = grants.get(lease.name)
      if (!isHeldBy(grant, lease)) return false
      grant.expiresAt = Number.NEGATIVE_INFINITY
      return true
    },
  }
}
