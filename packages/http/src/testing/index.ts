export { adapterContract } from './adapter_contract.ts'
export type { AdapterUnderTest, Exceptions, Served } from './adapter_under_test.ts'
