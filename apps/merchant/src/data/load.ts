/*
 * Fills a database from the command line, for benchmarks and for looking at it:
 *
 *   node --conditions=@tailwater/source apps/merchant/src/data/load.ts --url postgres://… [--schema merchant] [--size large | --file FILE]
 *
 * Migrates, loads if it is empty, and creates the indexes.
 */
import { parseArgs } from 'node:util'
import { systemClock } from '@tailwater/core'
import { createDatabase, createMigrator } from '@tailwater/postgres'
import { createIndexes } from '../database/index_builder.ts'
import { merchantMigrations } from '../database/migrations.ts'
import { createProgressLine } from '../terminal/progress_line.ts'
import { loadData } from './load_data.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    schema: { type: 'string', default: 'merchant' },
    size: { type: 'string', default: 'small' },
    file: { type: 'string' },
  },
})

const { url, schema, size, file } = values
if (!url || (size !== 'small' && size !== 'large'))
  throw new Error('usage: load.ts --url URL [--schema NAME] [--size small|large | --file FILE]')

const database = createDatabase({ url, min: 0, max: 4 })
const line = createProgressLine(process.stdout, systemClock)
await database.start()
try {
  await createMigrator({ database, schema, modules: [merchantMigrations] }).run()
  // Whoever can run this can read the database: the keys need no secret.
  const secret = new Uint8Array(32)
  const loaded = await loadData({ database, schema, size, secret, ...(file && { file }), progress: line.report })
  await createIndexes({
    database,
    schema,
    clock: systemClock,
    onProgress: (done, total, name) => line.report({ done, total, label: `index ${name}` }),
  })
  line.end()
  for (const { name, apiKey } of loaded?.merchants ?? []) process.stdout.write(`${name.padEnd(26)} ${apiKey}\n`)
} finally {
  line.end()
  await database.stop()
}
