export { assertEnqueued, type ExpectedJob } from './assert_enqueued.ts'
export type { JobsBackendUnderTest } from './backend_under_test.ts'
export { type Drained, drain } from './drain.ts'
export { jobsBackendContract } from './jobs_contract.ts'
