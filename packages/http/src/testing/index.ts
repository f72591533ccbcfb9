export { adapterContract } from './adapter_contract.ts'
export type { AdapterUnderTest, Exceptions, Served } from './adapter_under_test.ts'
export { type ResponseStoreUnderTest, responseStoreContract, sampleResponse } from './response_store_contract.ts'
