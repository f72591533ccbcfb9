/*
 * Loads data and stops dead in the middle: run by crash.test.ts, which kills it there.
 *
 * Usage: interrupted_load.ts URL SCHEMA STOP_AT [FILE]. Says 'stopped' on its output when it has come to the first progress
 * with the label STOP_AT.
 */
import { writeSync } from 'node:fs'
import { createDatabase } from '@tailwater/postgres'
import { loadData } from '../../src/data/load_data.ts'

const [url, schema, stopAt, file] = process.argv.slice(2)
const database = createDatabase({ url: url!, min: 0, max: 2 })
await database.start()
await loadData({
  database,
  schema: schema!,
  size: { products: 300, orders: 1_000, lines: 3_000 },
  secret: new Uint8Array(32),
  ...(file && { file }),
  progress({ label }) {
    if (label !== stopAt) return
    writeSync(1, 'stopped\n')
    // Nothing runs in this process any more, as if it had been killed between two instructions.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  },
})
