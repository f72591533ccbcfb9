import type { SeriesName } from '@tailwater/telemetry'
import { colorOf, type Hue, type Scheme } from '../charts/palette.ts'
import { count, milliseconds, percent, perSecond, written } from '../format.ts'
import { firstWithin, latest, type Window } from '../live/window.ts'
import { type Mood, Tile, type TileContent } from './tile.tsx'

/** Length of a sparkline in milliseconds. */
const MINUTE = 60_000
/** Share of errors from which requests are in a bad way. */
const BAD_ERRORS = 0.01
/** p95 in milliseconds from which an answer feels slow, and from which it is. */
const SLOW_MS = 300
const VERY_SLOW_MS = 1_000

/** The numbers to look at first. */
export function Tiles({ window, scheme, poolMax }: { window: Window; scheme: Scheme; poolMax: number | undefined }) {
  const read = reader(window, scheme)
  const tiles = [
    requests(read),
    latency(read),
    cache(read),
    jobsWaiting(read),
    jobsDone(read),
    connections(read, poolMax),
  ]
  return (
    <div className="tiles">
      {tiles.map((tile) => (
        <Tile key={tile.id} {...tile} />
      ))}
    </div>
  )
}

interface Reader {
  now(name: SeriesName): number | null
  line(name: SeriesName, hue: Hue): Pick<TileContent, 'values' | 'color'>
}

function reader(window: Window, scheme: Scheme): Reader {
  const first = firstWithin(window, MINUTE - 1)
  return {
    now: (name) => latest(window, name),
    line: (name, hue) => ({ values: window.series[name]?.slice(first) ?? [], color: colorOf(hue, scheme) }),
  }
}

function requests({ now, line }: Reader): TileContent {
  const rate = now('http.requests')
  const errors = now('http.errors')
  const share = rate ? (errors ?? 0) / rate : 0
  const mood: Mood = share >= BAD_ERRORS ? 'bad' : share > 0 ? 'warning' : 'calm'
  return {
    id: 'requests',
    label: 'Requests',
    value: rate,
    format: perSecond,
    mood,
    verdict: mood === 'calm' ? undefined : 'errors',
    ...line('http.requests', 'requests'),
    atLeast: 5,
    details: [
      { label: 'errors', text: written(perSecond, errors) },
      { label: 'share', text: written(percent, rate === null ? null : share) },
    ],
  }
}

function latency({ now, line }: Reader): TileContent {
  const p95 = now('http.p95')
  const mood: Mood = (p95 ?? 0) >= VERY_SLOW_MS ? 'bad' : (p95 ?? 0) >= SLOW_MS ? 'warning' : 'calm'
  return {
    id: 'p95',
    label: 'p95 latency',
    value: p95,
    format: milliseconds,
    mood,
    verdict: mood === 'calm' ? undefined : 'slow',
    ...line('http.p95', 'p95'),
    atLeast: 5,
    details: [
      { label: 'p50', text: written(milliseconds, now('http.p50')) },
      { label: 'p99', text: written(milliseconds, now('http.p99')) },
    ],
  }
}

function cache({ now, line }: Reader): TileContent {
  return {
    id: 'cache',
    label: 'Cache hit ratio',
    value: now('cache.hitRatio'),
    format: percent,
    ...line('cache.hitRatio', 'hitRatio'),
    atLeast: 1,
    details: [
      { label: 'hits', text: written(perSecond, now('cache.hits')) },
      { label: 'misses', text: written(perSecond, now('cache.misses')) },
    ],
  }
}

function jobsWaiting({ now, line }: Reader): TileContent {
  return {
    id: 'jobs-waiting',
    label: 'Jobs waiting',
    value: now('jobs.waiting'),
    format: count,
    ...line('jobs.waiting', 'waiting'),
    atLeast: 5,
    details: [{ label: 'running', text: written(count, now('jobs.running')) }],
  }
}

function jobsDone({ now, line }: Reader): TileContent {
  const failed = now('jobs.failed')
  return {
    id: 'jobs-done',
    label: 'Jobs done',
    value: now('jobs.completed'),
    format: perSecond,
    mood: failed ? 'warning' : 'calm',
    verdict: failed ? 'failures' : undefined,
    ...line('jobs.completed', 'completed'),
    atLeast: 5,
    details: [{ label: 'failed', text: written(perSecond, failed) }],
  }
}

function connections({ now, line }: Reader, poolMax: number | undefined): TileContent {
  const open = now('database.open')
  const idle = now('database.idle')
  const waiting = now('database.waiting')
  return {
    id: 'connections',
    label: 'PostgreSQL',
    value: open,
    format: (value) => ({ text: count(value).text, unit: poolMax ? `of ${poolMax} open` : 'open' }),
    mood: waiting ? 'bad' : 'calm',
    verdict: waiting ? 'queueing' : undefined,
    ...line('database.open', 'open'),
    atLeast: 5,
    details: [
      { label: 'busy', text: written(count, open === null || idle === null ? null : open - idle) },
      { label: 'waiting', text: written(count, waiting) },
    ],
  }
}
