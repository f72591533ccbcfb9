import { type Database, quoteSchema } from '@tailwater/postgres'
import { mergeSalesDays, mergeStatement } from '../analytics/sales_days.ts'
import { loadIfEmpty } from './empty_load.ts'
import { type DataSize, generateDataset, SCALES, type Scale } from './generated/dataset.ts'
import { datasetTables } from './generated/tables.ts'
import { importOnlineRetail, ONLINE_RETAIL } from './online_retail/import.ts'
import type { Progress } from './progress.ts'
import { sampleApiKey } from './sample_api_key.ts'

/** What an empty database is filled with. */
export interface LoadDataOptions {
  database: Database
  /** Name of the schema with the merchant's tables, migrated. */
  schema: string
  /** Of generated data: a named size, or one's own. */
  size: DataSize | Scale
  /** A file of invoice lines, loaded in place of generated data. */
  file?: string
  /** 32 bytes from which the sample merchants' API keys are derived: `keyring.keys('sample-api-keys')[0]`. */
  secret: Uint8Array
  /** @default 'tailwater' */
  seed?: string | number
  /** The moment all generated dates lie before. @default 2026-11-20T00:00:00Z */
  end?: number
  progress?: Progress
  signal?: AbortSignal
}

/** A merchant that was loaded, with the key that opens its part of the API. */
export interface SampleMerchant {
  slug: string
  name: string
  apiKey: string
}

/**
 * Fills an empty database, with a generated shop or from a file; undefined when it holds data already.
 *
 * In one transaction: a process killed half-way leaves the database empty, and the next start begins anew. Create the indexes that only make reads fast afterwards: they would be filled row by row.
 */
export async function loadData(options: LoadDataOptions): Promise<{ merchants: SampleMerchant[] } | undefined> {
  if (await hasMerchants(options)) return undefined
  const { database, file } = options
  const schema = quoteSchema(options.schema)
  const loaded = await (file === undefined ? generate(options) : importFile(options, file))
  // The sweep would do it within a minute; the first page is to be as fast as the next.
  await mergeSalesDays(database, mergeStatement(schema))
  await database.query(`VACUUM ANALYZE ${schema}.sales_days`)
  return loaded
}

async function generate(options: LoadDataOptions): Promise<{ merchants: SampleMerchant[] } | undefined> {
  const { size, secret, seed, end, ...target } = options
  const dataset = generateDataset({
    scale: typeof size === 'string' ? SCALES[size] : size,
    ...(seed !== undefined && { seed }),
    ...(end !== undefined && { end }),
  })
  const apiKey = (slug: string) => sampleApiKey(secret, slug)
  const loaded = await loadIfEmpty({ ...target, tables: datasetTables(dataset, apiKey) })
  if (!loaded) return undefined
  return { merchants: dataset.merchants.map(({ slug, name }) => ({ slug, name, apiKey: apiKey(slug) })) }
}

async function importFile(options: LoadDataOptions, file: string): Promise<{ merchants: SampleMerchant[] }> {
  const apiKey = sampleApiKey(options.secret, ONLINE_RETAIL.slug)
  await importOnlineRetail({ ...options, file, apiKey, exclusive: true })
  return { merchants: [{ ...ONLINE_RETAIL, apiKey }] }
}

/** The quick look that spares every later start the generation; the load itself looks again, under a lock. */
async function hasMerchants({ database, schema }: LoadDataOptions): Promise<boolean> {
  const { rows } = await database.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM ${quoteSchema(schema)}.merchants) AS found`,
  )
  return rows[0]?.found === true
}
