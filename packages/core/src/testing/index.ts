export { type BusUnderTest, busContract } from './bus_contract.ts'
export { FakeClock } from './fake_clock.ts'
export { type LeaseStoreUnderTest, leaseContract } from './lease_contract.ts'
export { stressLifecycle } from './stress_lifecycle.ts'
