import { PrismaPg } from '@prisma/adapter-pg'
import { getPrismaClient } from '@prisma/client/runtime/client'
import type { PrismaTransaction } from '@tailwater/jobs/postgres'

/** Prisma, as far as a test needs it. */
interface Prisma {
  $transaction<T>(body: (tx: PrismaTransaction) => Promise<T>): Promise<T>
  $disconnect(): Promise<void>
}

const COMPILER = '@prisma/client/runtime/query_compiler_fast_bg.postgresql'

/**
 * The client that `prisma generate` writes for a schema without models. It stands here, because generating one fetches programs of its own, which statements of a user's
 * own do not need.
 */
const PrismaClient = getPrismaClient({
  previewFeatures: [],
  clientVersion: '7.10.0',
  engineVersion: '7.10.0',
  activeProvider: 'postgresql',
  inlineSchema: 'datasource db {\n  provider = "postgresql"\n}\n',
  runtimeDataModel: { models: {}, enums: {}, types: {} },
  parameterizationSchema: { strings: [], graph: 'AAAA' },
  compilerWasm: {
    getRuntime: async () => await import(`${COMPILER}.mjs`),
    async getQueryCompilerWasmModule() {
      const { wasm } = (await import(`${COMPILER}.wasm-base64.mjs`)) as { wasm: string }
      return new WebAssembly.Module(Buffer.from(wasm, 'base64'))
    },
    importName: './query_compiler_fast_bg.js',
  },
})

/** Prisma on a database. */
export function createPrisma(url: string): Prisma {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) }) as unknown as Prisma
}
