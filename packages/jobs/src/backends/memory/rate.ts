/** A limit of starts: `count` within `per` milliseconds. */
export interface Rate {
  count: number
  per: number
}

/**
 * The generic cell rate algorithm (ITU-T I.371): one number, the moment at which the limit would be idle again if nothing more started (`idleAt`).
 * Each start moves it on by `per / count`; a start is allowed while it is less than `per` minus that ahead of now.
 *
 * @returns milliseconds until a start is allowed; 0 when it is now
 */
export function waitOf({ count, per }: Rate, idleAt: number, now: number): number {
  return Math.max(0, Math.ceil(idleAt - now - (per - per / count)))
}

/** What `idleAt` is after a start. */
export function afterStart({ count, per }: Rate, idleAt: number, now: number): number {
  return Math.max(idleAt, now) + per / count
}
