export { type ChaosBackend, chaos } from './chaos.ts'
export { farBackendContract } from './far_backend_contract.ts'
export type { FarBackendUnderTest } from './subject.ts'
