import type { NearTier } from './near_tier.ts'

/** The near tier of a namespace that keeps nothing in memory. */
export const noNearTier: NearTier = {
  get: () => undefined,
  peek: () => undefined,
  set() {},
  delete: () => false,
  clear() {},
  keys: () => new Map<string, never>().keys(),
  sweep: () => 0,
  size: 0,
  bytes: 0,
  evictions: 0,
}
