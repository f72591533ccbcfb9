import { TailwaterError } from './errors.ts'

type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd'

/** A length of time: milliseconds, or a number with a unit such as `'250ms'`, `'5m'` or `'1.5h'`. */
export type Duration = number | `${number}${DurationUnit}`

const MS_PER_UNIT: Record<DurationUnit, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Milliseconds of a duration.
 *
 * @param path names the option in the error, for example `cache.ttl`
 * @throws E_OPTIONS when it is negative, not finite, or has no known unit
 */
export function parseDuration(value: unknown, path = 'duration'): number {
  const ms = typeof value === 'string' ? fromText(value) : value
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= 0) return ms
  throw new TailwaterError(
    'E_OPTIONS',
    `${path} must be a duration such as 250, '250ms', '5m' or '1h', got ${show(value)}`,
    {
      path,
      expected: 'duration',
    },
  )
}

function fromText(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim())
  return match ? Number(match[1]) * MS_PER_UNIT[(match[2] ?? 'ms') as DurationUnit] : Number.NaN
}

/** A duration for people: `1.5 s`, `3 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`
  return `${(ms / 3_600_000).toFixed(1)} h`
}

/** How a value looks in an error message: short, quoted, never a whole object. */
export function show(value: unknown): string {
  if (typeof value === 'string') return value.length > 60 ? `'${value.slice(0, 57)}…'` : `'${value}'`
  if (value === null || typeof value !== 'object') return String(value)
  return Array.isArray(value) ? `an array of ${value.length}` : 'an object'
}
