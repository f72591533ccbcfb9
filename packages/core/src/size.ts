import { show } from './duration.ts'
import { TailwaterError } from './errors.ts'

type SizeUnit = 'b' | 'kb' | 'mb' | 'gb'

/** An amount of memory or disk: bytes, or a number with a unit of 1,024 such as `'64mb'`. */
export type Size = number | `${number}${SizeUnit}`

const BYTES_PER_UNIT: Record<SizeUnit, number> = { b: 1, kb: 1_024, mb: 1_048_576, gb: 1_073_741_824 }

/**
 * Bytes of a size.
 *
 * @param path names the option in the error, for example `cache.maxBytes`
 * @throws E_OPTIONS when it is negative, not finite, or has no known unit
 */
export function parseSize(value: unknown, path = 'size'): number {
  const bytes = typeof value === 'string' ? fromText(value) : value
  if (typeof bytes === 'number' && Number.isFinite(bytes) && bytes >= 0) return Math.round(bytes)
  throw new TailwaterError(
    'E_OPTIONS',
    `${path} must be a size such as 1024, '64kb', '64mb' or '1gb', got ${show(value)}`,
    {
      path,
      expected: 'size',
    },
  )
}

function fromText(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)?$/i.exec(text.trim())
  return match ? Number(match[1]) * BYTES_PER_UNIT[(match[2]?.toLowerCase() ?? 'b') as SizeUnit] : Number.NaN
}

/** A size for people: `64 MB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`
  if (bytes < 1_048_576) return `${(bytes / 1_024).toFixed(1)} kB`
  if (bytes < 1_073_741_824) return `${(bytes / 1_048_576).toFixed(1)} MB`
  return `${(bytes / 1_073_741_824).toFixed(2)} GB`
}
