import type { Redis } from '@tailwater/redis'
import type { EnqueuePort } from '../../../backend/enqueue_port.ts'
import type { InspectPort } from '../../../backend/inspect_port.ts'
import type { MaintainPort } from '../../../backend/maintain_port.ts'
import type { SchedulePort } from '../../../backend/schedule_port.ts'
import type { WorkPort } from '../../../backend/work_port.ts'
import { MAX_CRASHES } from '../../../job.ts'
import { connectJobs, type JobsConnection } from '../connection.ts'
import { enqueuePort } from '../enqueue.ts'
import { inspectPort } from '../inspect.ts'
import { maintainPort } from '../maintain.ts'
import { schedulePort } from '../schedules.ts'
import { workPort } from '../work.ts'

/** What the engine asks of a store. */
export interface Ports {
  readonly jobs: EnqueuePort
  readonly work: WorkPort
  readonly inspect: InspectPort
  readonly maintain: MaintainPort
  readonly schedules: SchedulePort
}

/** All that is kept under one hash tag. */
export interface Shard extends Ports {
  readonly connection: JobsConnection
}

/** Opens what is under a tag. */
export function openShard(redis: Redis, tag: string, replicas: number): Shard {
  const connection = connectJobs(redis, tag)
  return {
    connection,
    jobs: enqueuePort(connection, { replicas }),
    work: workPort(connection, MAX_CRASHES),
    inspect: inspectPort(connection),
    maintain: maintainPort(connection, MAX_CRASHES),
    schedules: schedulePort(connection),
  }
}
