/** What a namespace has done since it was defined. */
export interface NamespaceStats {
  /** Look-ups answered with a fresh value from this process's memory. */
  nearHits: number
  /** Look-ups answered with a fresh value from the far tier. */
  farHits: number
  /** Look-ups answered with a value past its ttl, within grace. */
  stale: number
  /** Look-ups that waited for a load, or found nothing. */
  misses: number
  loads: number
  loadErrors: number
  /** Milliseconds of all loads together. */
  loadMs: number
  /** Values set by a call. */
  sets: number
  /** Values that were handed out and not kept, because their key or a tag was invalidated while they were loaded. */
  outdated: number
  /** Values that could not be kept in the far tier: too large, or not serialisable. */
  refused: number
  /** Entries in this process's memory. */
  entries: number
  /** Their estimated size. */
  bytes: number
}

/** The counters of a namespace; what the near tier knows itself is added when somebody asks. */
export class Counts {
  nearHits = 0
  farHits = 0
  stale = 0
  misses = 0
  loads = 0
  loadErrors = 0
  loadMs = 0
  sets = 0
  outdated = 0
  refused = 0
}

/** What one tier has done, and how full it is. */
export interface NearStats {
  entries: number
  bytes: number
  evictions: number
}

/** What this process knows of the far tier. */
export interface FarStats {
  backend: string
  state: 'closed' | 'open' | 'half-open'
  reads: number
  writes: number
  errors: number
  timeouts: number
  bytesRead: number
  bytesWritten: number
  /** Invalidations that the far tier has yet to hear of. */
  pendingInvalidations: number
}

/** What a cache has done. */
export interface CacheStats {
  namespaces: Record<string, NamespaceStats>
  /** The tier that namespaces share; those with their own are counted there. */
  near: NearStats
  far: FarStats | undefined
  /** Milliseconds since the bus was last known to have told everything; undefined without a bus, or before `start`. */
  busSilence: number | undefined
  /** Names of invalidations that the bus has yet to take; others serve what they mean for a while. */
  untold: number
}
