import type { Tailwater } from 'tailwater'
import { loadData, type SampleMerchant } from '../data/load_data.ts'
import { createIndexes } from '../database/index_builder.ts'
import { createProgressLine, type LineOutput } from '../terminal/progress_line.ts'
import type { Arguments } from './arguments.ts'
import { MERCHANT_SCHEMA } from './merchant_schema.ts'

/** What was loaded, if the database was empty. */
export interface Filled {
  merchants: readonly SampleMerchant[]
}

/** Loads data into an empty database, and creates the indexes that are missing. */
export async function fillEmptyDatabase({
  platform,
  wishes,
  output,
}: {
  platform: Tailwater
  wishes: Arguments
  output: LineOutput
}): Promise<Filled | undefined> {
  const { database, keyring, clock } = platform
  const line = createProgressLine(output, clock)
  const target = {
    database,
    schema: MERCHANT_SCHEMA,
    secret: keyring.keys('sample-api-keys')[0],
    progress: line.report,
  }
  try {
    const loaded = await loadData({ ...target, size: wishes.size, ...(wishes.file ? { file: wishes.file } : {}) })
    await createIndexes({
      database,
      schema: MERCHANT_SCHEMA,
      clock,
      onProgress: (done, total, name) => loaded && line.report({ done, total, label: `index ${name}` }),
    })
    return loaded
  } finally {
    line.end()
  }
}
