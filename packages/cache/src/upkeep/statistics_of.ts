import type { Bus } from '@tailwater/core'
import type { Spaces } from '../coherence/near_effects.ts'
import type { CacheCore } from '../core.ts'
import { namespaceOf, wholeKeyOf } from '../key.ts'
import type { Space } from '../space.ts'
import type { CacheStats, FarStats, NamespaceStats } from '../statistics.ts'

/** What a namespace has done; its entries in the shared tier are counted for this. */
export function namespaceStats(space: Space): NamespaceStats {
  const { near, core, name, counts } = space
  if (near !== core.near) return { ...counts, entries: near.size, bytes: near.bytes }
  return { ...counts, ...(contentOf(core).get(name) ?? NOTHING) }
}

/** What a cache has done. @param untold see `Coherence.untold` */
export function cacheStats(core: CacheCore, spaces: Spaces, bus: Bus | undefined, untold: number): CacheStats {
  const content = contentOf(core)
  const namespaces: Record<string, NamespaceStats> = {}
  for (const [name, { near, counts }] of spaces)
    namespaces[name] =
      near === core.near
        ? { ...counts, ...(content.get(name) ?? NOTHING) }
        : { ...counts, entries: near.size, bytes: near.bytes }
  const { size: entries, bytes, evictions } = core.near
  const heardAt = bus?.caughtUpAt ?? Number.NEGATIVE_INFINITY
  return {
    namespaces,
    near: { entries, bytes, evictions },
    far: farStats(core),
    busSilence: Number.isFinite(heardAt) ? Math.max(0, core.clock.elapsed() - heardAt) : undefined,
    untold,
  }
}

interface Content {
  entries: number
  bytes: number
}

const NOTHING: Content = { entries: 0, bytes: 0 }

function contentOf({ near }: CacheCore): Map<string, Content> {
  const content = new Map<string, Content>()
  for (const key of near.keys()) {
    const name = namespaceOf(wholeKeyOf(key))
    const sum = content.get(name) ?? { entries: 0, bytes: 0 }
    sum.entries++
    sum.bytes += near.peek(key)?.bytes ?? 0
    content.set(name, sum)
  }
  return content
}

function farStats({ far }: CacheCore): FarStats | undefined {
  if (!far) return undefined
  return { backend: far.backend.name, state: far.breaker.state, ...far.counts, pendingInvalidations: far.distrust.size }
}
