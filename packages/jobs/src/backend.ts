import type { Service } from '@tailwater/core'
import type { EnqueuePort } from './backend/enqueue_port.ts'
import type { InspectPort } from './backend/inspect_port.ts'
import type { MaintainPort } from './backend/maintain_port.ts'
import type { SchedulePort } from './backend/schedule_port.ts'
import type { WorkPort } from './backend/work_port.ts'

/**
 * Where jobs are kept, and what decides who runs them. The engine above it is the same for every backend.
 *
 * Promises, checked by `jobsBackendContract` in `@tailwater/jobs/testing`:
 * - A job whose enqueue was confirmed ends in a final state (completed, cancelled, dead), whatever happens to workers.
 * - A job is owned by at most one worker at a time, by the store's clock; what a former owner says of it is refused and changes nothing.
 * - Jobs of one queue are claimed in the order of priority, and within one priority in the order in which they became available.
 * - Counts by state are exact at every moment that a reader can observe.
 * - Every method is one atomic step, except where it says that it works in bites; calling it again after a lost reply does no harm.
 *
 * All moments are milliseconds since the Unix epoch by the store's clock. A backend never compares them with a process's own clock.
 */
export interface JobsBackend extends Service {
  readonly name: 'memory' | 'postgres' | 'redis'
  readonly jobs: EnqueuePort
  readonly work: WorkPort
  readonly inspect: InspectPort
  readonly maintain: MaintainPort
  readonly schedules: SchedulePort
}
