export { createTestSchema, type TestSchema } from './test_schema.ts'
export { testServerUrl } from './test_server.ts'
