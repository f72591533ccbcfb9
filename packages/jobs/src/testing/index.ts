export type { JobsBackendUnderTest } from './backend_under_test.ts'
export { jobsBackendContract } from './jobs_contract.ts'
