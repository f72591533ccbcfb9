export { type ChaosBackend, chaos } from './chaos.ts'
export { evictionPolicyContract } from './eviction_policy_contract.ts'
export { farBackendContract } from './far_backend_contract.ts'
export type { FarBackendUnderTest } from './subject.ts'
