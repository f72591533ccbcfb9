import { type Duration, parseDuration } from '@tailwater/core'
import { type Database, DEFAULT_SCHEMA, quoteSchema, statement } from '@tailwater/postgres'
import type { TrimmedInbox } from './inbox.ts'

/** Rows deleted by one statement. */
const BITE = 5_000

/**
 * An inbox in PostgreSQL: a row in the same transaction as what the function does, so that both are there or neither is, whatever dies when. Of two that handle a
 * message at once the second waits for the first, and then has nothing to do.
 *
 * @param options.keep for how long a message is remembered: no longer than this may lie between two deliveries of it. @default '7d'
 */
export function createPostgresInbox({
  database,
  schema: schemaName = DEFAULT_SCHEMA,
  keep = '7d',
}: {
  database: Database
  schema?: string
  keep?: Duration
}): TrimmedInbox {
  const schema = quoteSchema(schemaName)
  const age = String(parseDuration(keep, 'createPostgresInbox.keep'))
  const add = statement(
    `tw_msg_inbox:${schemaName}`,
    `INSERT INTO ${schema}.message_inbox (subscription, message_id, handled_at) VALUES ($1::text, $2::text, ${schema}.now())
     ON CONFLICT (subscription, message_id) DO NOTHING RETURNING message_id`,
  )
  // message_inbox_handled
  const trim = `DELETE FROM ${schema}.message_inbox WHERE ctid IN (
    SELECT ctid FROM ${schema}.message_inbox WHERE handled_at < ${schema}.now() - $1::text::float8 * interval '1 millisecond' LIMIT ${BITE}
  ) RETURNING message_id`
  return {
    once: (subscription, messageId, run) =>
      database.transaction(async (tx) => {
        const { rows } = await tx.query(add, [subscription, messageId])
        if (rows.length === 0) return false
        await run(tx)
        return true
      }),
    async trim() {
      for (let gone = BITE; gone === BITE; ) gone = (await database.query(trim, [age])).rows.length
    },
  }
}
