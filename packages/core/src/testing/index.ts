export { busContract, type BusUnderTest } from './bus_contract.ts'
export { FakeClock } from './fake_clock.ts'
export { leaseContract, type LeaseStoreUnderTest } from './lease_contract.ts'
export { stressLifecycle } from './stress_lifecycle.ts'
