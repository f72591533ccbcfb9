import { type Clock, type Duration, parseDuration, systemClock } from '@tailwater/core'

/** Remembers counts for a short while. */
export interface Totals {
  /** The count under a key; counted once however many ask at the same time. A failed count is not remembered. */
  count(key: string, load: () => Promise<number>): Promise<number>
}

/** How long and how many. */
export interface TotalsOptions {
  /** @default '10s' */
  ttl?: Duration
  /** Counts kept; the one asked for longest ago goes first. @default 1000 */
  capacity?: number
  clock?: Clock
}

interface Entry {
  until: number
  count: Promise<number>
}

/** Makes a memory of counts: a total is a scan of the whole list, and nobody minds one some seconds old. */
export function createTotals({ ttl = '10s', capacity = 1_000, clock = systemClock }: TotalsOptions = {}): Totals {
  const lifetime = parseDuration(ttl, 'ttl')
  const entries = new Map<string, Entry>()

  function remember(key: string, count: Promise<number>): Promise<number> {
    const entry = { until: clock.elapsed() + lifetime, count }
    entries.delete(key)
    entries.set(key, entry)
    if (entries.size > capacity) entries.delete(entries.keys().next().value!)
    count.catch(() => {
      if (entries.get(key) === entry) entries.delete(key)
    })
    return count
  }

  return {
    count(key, load) {
      const known = entries.get(key)
      return known && known.until > clock.elapsed() ? known.count : remember(key, load())
    },
  }
}
