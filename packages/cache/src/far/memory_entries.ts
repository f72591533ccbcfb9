import { claimInSteps } from './claim.ts'
import {
  type FarBackend,
  type FarReading,
  type FarVersion,
  type FarWrite,
  type LeaseAnswer,
  type LeaseWish,
  TOMBSTONE_MS,
} from './far_backend.ts'
import { patternRegExp } from './key_pattern.ts'

/** What lies under a key; a tombstone without an envelope. */
interface Held {
  version: FarVersion
  envelope: Buffer | undefined
  expiresAt: number
}

interface Lease {
  token: string
  expiresAt: number
}

/** Nothing is ever lost in between, so the nothing of one moment is as good as that of another. */
const NOTHING = '-'

/** Entries, leases and what an operator sees of them, in memory. */
export function createMemoryEntries(now: () => number): Pick<FarBackend, 'entries' | 'leases' | 'browser'> {
  const held = new Map<string, Held>()
  const leases = new Map<string, Lease>()
  let versions = 0
  let unswept = 0

  const live = <T extends { expiresAt: number }>(map: Map<string, T>, key: string) => {
    const found = map.get(key)
    return found && found.expiresAt > now() ? found : undefined
  }
  const versionOf = (key: string) => live(held, key)?.version ?? NOTHING
  const holds = (key: string, token: string) => live(leases, key)?.token === token

  function put(key: string, envelope: Buffer | undefined, ttl: number): void {
    held.set(key, { version: `${envelope ? 'e' : 't'}${++versions}`, envelope, expiresAt: now() + ttl })
    // What has expired goes after as many writes as there are entries: a constant share of work for each.
    if (++unswept <= held.size) return
    unswept = 0
    for (const map of [held, leases]) for (const [name, { expiresAt }] of map) if (expiresAt <= now()) map.delete(name)
  }

  function writeOne({ key, envelope, ttl, expected, lease }: FarWrite): boolean {
    const isHolder = lease !== undefined && holds(key, lease)
    if (isHolder) leases.delete(key)
    if (expected !== undefined && versionOf(key) !== expected) return false
    if (expected === NOTHING && lease !== undefined && !isHolder) return false
    put(key, envelope, ttl)
    return true
  }

  function acquireOne({ key, seen, token }: LeaseWish, ttl: number): LeaseAnswer {
    if (versionOf(key) !== seen) return 'changed'
    if (live(leases, key) && !holds(key, token)) return 'held'
    leases.set(key, { token, expiresAt: now() + ttl })
    return 'granted'
  }

  const readOne = (key: string): FarReading => ({
    version: versionOf(key),
    envelope: live(held, key)?.envelope,
  })

  const read = async (keys: readonly string[]) => keys.map(readOne)
  const acquire = async (wishes: readonly LeaseWish[], ttl: number) => wishes.map((wish) => acquireOne(wish, ttl))

  return {
    entries: {
      read,
      write: async (writes) => writes.map(writeOne),
      async invalidate(keys) {
        for (const key of keys) {
          leases.delete(key)
          put(key, undefined, TOMBSTONE_MS)
        }
      },
      async touch(key, version, ttl) {
        const found = live(held, key)
        if (!found?.envelope || found.version !== version) return false
        found.expiresAt = now() + ttl
        return true
      },
    },
    leases: {
      acquire,
      claim: claimInSteps({ read }, { acquire }),
      async renew(key, token, ttl) {
        if (!holds(key, token)) return false
        leases.set(key, { token, expiresAt: now() + ttl })
        return true
      },
      async release(key, token) {
        if (holds(key, token)) leases.delete(key)
      },
    },
    browser: {
      async scan(pattern, cursor, limit) {
        const fits = patternRegExp(pattern)
        // In the order of the keys, a cursor being the last one seen: keys that come and go move nothing.
        const rest = [...held.keys()].filter((key) => cursor === undefined || key > cursor).sort()
        const page = rest.slice(0, limit)
        const keys = page.flatMap((key) => {
          const found = live(held, key)
          if (!found?.envelope || !fits.test(key)) return []
          return [{ key, bytes: found.envelope.length, ttl: found.expiresAt - now() }]
        })
        return { keys, next: rest.length > page.length ? page.at(-1) : undefined }
      },
      async clear() {
        held.clear()
        leases.clear()
      },
    },
  }
}
