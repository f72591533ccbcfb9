import { zipfSequence } from '../zipf.ts'

/** There is room for so many. */
export const ENTRIES = 20_000

/** Keys and requests of each kind of work. */
export const works = {
  mixed: { name: 'get, set on miss', keys: 200_000, skew: 0.9 },
  /** Fewer than there is room for: after the first round all of them are there. */
  hits: { name: 'hits alone', keys: 10_000, skew: 0 },
} as const

/** A round. */
export interface NearPlan {
  work: keyof typeof works
  /** Each request has its key built from a number, as in an application; otherwise keys are at hand. */
  isKeyBuilt: boolean
  requests: number
}

/** What a round amounts to. */
export interface NearRound {
  perSecond: number
  perCpuSecond: number
  hitShare: number
}

/** The keys' numbers that a round asks for. */
export function idsOf({ work, requests }: NearPlan): Uint32Array {
  const { keys, skew } = works[work]
  return zipfSequence({ ids: keys, skew, count: requests, seed: 20_261_122 })
}

/** The key of a number as it comes out of a socket: one piece of text. A template's result is two pieces until somebody looks into it. */
export function flatKey(id: number): string {
  return Buffer.from(`product:${id}`).toString('latin1')
}
