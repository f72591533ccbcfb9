// A process that serves one consumer until it is killed. Says each batch that it has handled, and notes it once it is told to go on.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { createDatabase, createOutbox } from '@tailwater/postgres'

const [url, schema] = process.argv.slice(2) as [string, string]
const orders = createInterface({ input: process.stdin })
const database = createDatabase({ url, min: 1, max: 4 })
const outbox = createOutbox({ database, schema, leaseTtl: '1s' })

await outbox.consumer(
  'orders',
  async (messages) => {
    const rows = messages.map(({ sequence, payload }) => ({ sequence: String(sequence), payload }))
    await database.query(
      `INSERT INTO ${schema}.handled (pid, sequence, payload)
       SELECT $1, sequence, payload FROM jsonb_to_recordset($2::jsonb) AS m (sequence bigint, payload text) ORDER BY sequence`,
      [process.pid, JSON.stringify(rows)],
    )
    process.stdout.write('handled\n')
    await once(orders, 'line')
  },
  { batch: 5 },
)
await database.start()
await outbox.start()
// Lives until it is killed, or its parent is no more.
orders.on('close', () => process.exit())
