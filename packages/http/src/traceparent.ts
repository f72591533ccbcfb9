import { randomFillSync } from 'node:crypto'

/** A trace id, and the flags that came with it. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  traceId: string
  /** 16 hexadecimal digits: the caller's span. */
  parentId: string
  /** 2 hexadecimal digits. */
  flags: string
}

const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)
/** Length of version 00, which has no further fields. */
const VERSION_0_LENGTH = 55

/**
 * Reads a `traceparent` header (W3C Trace Context, section 3.2); undefined when it is not one.
 *
 * Later versions are read by their first four fields, as the specification asks.
 */
export function parseTraceparent(header: string | undefined): TraceParent | undefined {
  if (header === undefined || header.length < VERSION_0_LENGTH) return undefined
  const match = SHAPE.exec(header)
  if (!match) return undefined
  const [, version, traceId, parentId, flags] = match as unknown as [string, string, string, string, string]
  if (version === 'ff' || (version === '00' && header.length !== VERSION_0_LENGTH)) return undefined
  if (traceId === NO_TRACE || parentId === NO_SPAN) return undefined
  return { traceId, parentId, flags }
}

/** The header of a span of ours in a trace. */
export function formatTraceparent(traceId: string, spanId: string, flags: string): string {
  return `00-${traceId}-${spanId}-${flags}`
}

const pool = Buffer.allocUnsafe(4_096)
let poolUsed = pool.length

/** A random span id: 16 hexadecimal digits, never all zero. Random bytes are drawn by the page, not by the request. */
export function newSpanId(): string {
  if (poolUsed + 8 > pool.length) {
    randomFillSync(pool)
    poolUsed = 0
  }
  const id = pool.toString('hex', poolUsed, poolUsed + 8)
  poolUsed += 8
  return id === NO_SPAN ? newSpanId() : id
}
