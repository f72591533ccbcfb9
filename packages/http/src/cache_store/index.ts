export { createFarResponseStore, type FarResponseStoreOptions } from './far_response_store.ts'
