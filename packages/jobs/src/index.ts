export type { EnqueuePort, Stored } from './backend/enqueue_port.ts'
export type { InspectPort, JobCounts, JobFilter, JobPage, QueueStats } from './backend/inspect_port.ts'
export type { MaintainPort, QueueLimits, Retention, Swept } from './backend/maintain_port.ts'
export type { SchedulePort, StoredSchedule } from './backend/schedule_port.ts'
export type { Turn, TurnReply, WorkPort } from './backend/work_port.ts'
export type { JobsBackend } from './backend.ts'
export { createMemoryBackend } from './backends/memory/memory_backend.ts'
export type { JobTransaction } from './enqueue/enqueuer.ts'
export type { JobsOutbox } from './enqueue/outbox_relay.ts'
export { type JobsErrorCode, PermanentError } from './errors.ts'
export { batch, chain, type Flow } from './flow.ts'
export type { Percentiles } from './histogram.ts'
export {
  type ClaimedJob,
  finalStates,
  type Job,
  type JobEnd,
  type JobState,
  jobStates,
  MAX_CRASHES,
  type NewJob,
} from './job.ts'
export { createJobs, type Jobs } from './jobs.ts'
export type { BatchKind, KindDefinition, SingleKind, ThreadKind } from './kind.ts'
export type { EnqueueJobOptions, Kind } from './kind_handle.ts'
export { jobsMigrations } from './migrations.ts'
export type { Inspection } from './operate/inspection.ts'
export type { JobView } from './operate/job_view.ts'
export type { JobChange, Operations } from './operate/operations.ts'
export type { Queue } from './operate/queue.ts'
export { type JobsOptions, type ResolvedJobsOptions, resolveJobsOptions } from './options.ts'
export { createRedaction } from './payload/redaction.ts'
export { describeIssues, isStandardSchema, type StandardSchema } from './payload/standard_schema.ts'
export { type CompiledTypeBox, typeBoxSchema } from './payload/type_box.ts'
export { type Priority, priorities } from './priority.ts'
export type { KeepOption, QueueOptions, RateOption, ResolvedQueue } from './queue_options.ts'
export type { JobOptions, JobRequest } from './request.ts'
export { Autoscaler, type ScaledLane } from './run/autoscaler.ts'
export { type Backoff, type BackoffFunction, resolveBackoff, type Waiting } from './run/backoff.ts'
export { Lane } from './run/lane.ts'
export type { ChildResult, RunningJob } from './run/running_job.ts'
export { Snooze, snooze } from './run/snooze.ts'
export type { ThreadHandler, ThreadJob } from './run/thread_entry.ts'
export type { MissedPolicy, ScheduleDefinition } from './schedule/definition.ts'
export type { RuleOption, StoredRule } from './schedule/rule.ts'
export type { Schedule, Schedules } from './schedule/schedules.ts'
export type { Unique } from './unique.ts'
