import { merchantLine } from './merchant_line.ts'

merchantLine('jobs', async () => ({ close: async () => {} }))
