import type { JobCounts } from '../../backend/inspect_port.ts'
import type { QueueLimits, Retention } from '../../backend/maintain_port.ts'
import type { BucketCount } from '../../histogram.ts'
import { isDueBefore, isServedBefore, Line } from './line.ts'
import type { JobRecord } from './record.ts'
import { Turns } from './turns.ts'

/** What a limit of a key, or of a whole queue, remembers. */
export interface Meter {
  running: number
  idleAt: number
}

/** A queue of the memory backend. */
export interface MemoryQueue {
  readonly name: string
  isPaused: boolean
  limits: QueueLimits
  /** Undefined until configured. */
  retention: Retention | undefined
  counts: JobCounts
  available: Line
  /** Scheduled and retryable jobs by their time. */
  later: Line
  /** Jobs that ended, in the order of their ends. */
  ended: Record<'completed' | 'cancelled' | 'dead', Set<JobRecord>>
  meter: Meter
  keys: Map<string, Meter>
  turns: Turns
  /** Waits and runs by slot. */
  spans: Map<number, { waits: BucketCount[]; runs: BucketCount[] }>
  /** Finished attempts by the minute's first millisecond. */
  minutes: Map<number, { completed: number; failed: number }>
}

/** All zero. */
export const noJobs = (): JobCounts => ({
  pending: 0,
  scheduled: 0,
  available: 0,
  running: 0,
  retryable: 0,
  completed: 0,
  cancelled: 0,
  dead: 0,
})

/** A queue that nobody has configured. */
export const emptyQueue = (name: string): MemoryQueue => ({
  name,
  isPaused: false,
  limits: {},
  retention: undefined,
  counts: noJobs(),
  available: new Line(isServedBefore),
  later: new Line(isDueBefore),
  ended: { completed: new Set(), cancelled: new Set(), dead: new Set() },
  meter: { running: 0, idleAt: 0 },
  keys: new Map(),
  turns: new Turns(),
  spans: new Map(),
  minutes: new Map(),
})
