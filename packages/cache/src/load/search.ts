import { cacheAccess, currentContext } from '@tailwater/core'
import type { CacheEntry } from '../entry.ts'
import type { Space } from '../space.ts'
import { areTagsValid } from '../tag_table.ts'
import type { Flight } from './flight.ts'
import { LoadRun, type RunStart } from './load_run.ts'
import type { Search } from './search_plan.ts'

/** Hands out an entry that `Space.find` has found. */
export function serve(space: Space, entry: CacheEntry): Promise<unknown> {
  count(space, entry.isStale)
  entry.answer ??= space.core.answerOf(entry.value)
  return entry.answer
}

/** Counts an answer from the near tier. */
export function count(space: Space, isStale: boolean): void {
  if (isStale) space.counts.stale++
  else space.counts.nearHits++
  if (cacheAccess.hasSubscribers)
    cacheAccess.publish({
      requestId: currentContext()?.requestId,
      cache: space.name,
      outcome: isStale ? 'stale' : 'hit',
      tier: 'near',
    })
}

/** The value of a key that the near tier does not have, or not such that it can be served without a further thought. */
export function search(wanted: Search): Promise<unknown> {
  const { space, key, policy, load } = wanted
  const { clock, trust, flights } = space.core
  const now = clock.elapsed()
  const entry = space.remains(space.form.near + key, now)
  // Built once: each text made of two is hashed anew.
  const whole = space.form.whole + key
  const flight = flights.get(whole)
  const isTrusted = entry !== undefined && trust.holds(entry.checkedAt, now)
  if (isTrusted && now < entry.freshUntil) return serveAndRefresh(wanted, whole, entry, flight)
  if (isTrusted && load && policy.softTimeout === 0) return serveAndRefresh(wanted, whole, entry, flight, true)
  if (flight) return follow(flight, wanted, now)
  // Without grace a value is served for its ttl, and not a moment more because its source is away.
  const fallback = load && entry && (entry.isStale || entry.usableUntil > entry.freshUntil) ? entry : undefined
  const softTimeout = isTrusted && fallback ? policy.softTimeout : undefined
  return launch(wanted, { whole, fallback, softTimeout, isRefresh: false })
}

function serveAndRefresh(
  wanted: Search,
  whole: string,
  entry: CacheEntry,
  flight: Flight | undefined,
  isPast = false,
): Promise<unknown> {
  if (wanted.load && !flight)
    new LoadRun(wanted, { whole, fallback: entry, softTimeout: undefined, isRefresh: true }).start(undefined)
  else wanted.onSpared?.()
  count(wanted.space, isPast || entry.isStale)
  return Promise.resolve(entry.value)
}

function launch(wanted: Search, start: RunStart): Promise<unknown> {
  const run = new LoadRun(wanted, start)
  const answer = run.flight.join()
  run.start(start.softTimeout)
  return answer
}

/** Joins a flight that has begun before, unless what it will bring may be older than an invalidation that this caller knows of. */
function follow(flight: Flight, wanted: Search, now: number): Promise<unknown> {
  const { chain, tags, flights, trust } = wanted.space.core
  const cycle = chain.cycleOf(flight)
  if (cycle) {
    wanted.onSpared?.()
    return Promise.reject(cycle)
  }
  if (wanted.load && !flight.canLoad) return flight.answer.then(() => again(wanted))
  if (!trust.holds(flight.askedAt, now) || !areTagsValid(flight.tags, flight.sequence)) {
    flights.invalidate(flight.key)
    return search(wanted)
  }
  if (flight.sequence === tags.sequence) {
    wanted.onSpared?.()
    return flight.join()
  }
  // Some tag was invalidated; whether it is one of the value's is known when the value is.
  return flight.answer.then(
    () => {
      if (flight.isOutdated) return again(wanted)
      wanted.onSpared?.()
      return flight.join()
    },
    () => again(wanted),
  )
}

function again(wanted: Search): Promise<unknown> {
  const entry = wanted.space.find(wanted.space.form.near + wanted.key)
  if (!entry) return search(wanted)
  wanted.onSpared?.()
  return serve(wanted.space, entry)
}
