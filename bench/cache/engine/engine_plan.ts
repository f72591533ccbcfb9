/** What is asked for in a round. */
export type Work =
  /** Keys of `keys`, all of which were asked for before. */
  | { kind: 'hit'; keys: number }
  /** A new key each time, and a load that returns at once. The round ends when Redis has them all. */
  | { kind: 'miss' }
  /** `size` keys of `keys` at once. */
  | { kind: 'batch'; keys: number; size: number }

/** A round, and what must be open for it. */
export interface EnginePlan {
  work: Work
  redisUrl: string | undefined
  nearEntries: number
  /** Callers, each of which asks again when it has its answer. */
  callers: number
  /** Milliseconds. */
  duration: number
}

/** One cold key, and a load that takes its time. */
export interface StampedePlan {
  stampede: { key: number; callers: number; loadMs: number }
  redisUrl: string | undefined
}

/** What a round amounts to. */
export interface EngineRound {
  calls: number
  perSecond: number
  /** Calls by the second of this process's CPU. */
  perCpuSecond: number
  loads: number
}

/** What one process saw of a stampede. */
export interface StampedeRound {
  loads: number
  /** Milliseconds until the last caller had its answer. */
  ms: number
}
