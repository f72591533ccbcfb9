export { type AdapterUnderTest, adapterContract, type Exceptions, type Served } from './adapter_contract.ts'
