import { type Statement, statement } from '../queryable.ts'
import { quoteSchema } from '../schema_name.ts'

/** The statements of the outbox in one schema. */
export type OutboxSql = ReturnType<typeof outboxSql>

/** Tells a row from another that was given its place after the end of the line was lost. As a number: text would depend on the session's time zone. */
const mark = (row: string) => `extract(epoch FROM ${row}.sequenced_at)::text`
const MESSAGE = `o.sequence::text, o.topic, o.payload::text, o.context::text, ${mark('o')} AS mark,
  (extract(epoch FROM o.appended_at) * 1000)::float8 AS "appendedAt"`

/** Names in a schema, quoted, and what names its statements. */
interface Names {
  schema: string
  outbox: string
  consumers: string
  /** The last place in line that was ever given: rows at the end may have been trimmed. Served by outbox_in_line. */
  end: string
  named: (name: string, text: string) => Statement
}

/** Writes the statements for a schema. Values are strings throughout, so that any user's connection may carry them. */
export function outboxSql(schemaName: string) {
  const schema = quoteSchema(schemaName)
  const names: Names = {
    schema,
    outbox: `${schema}.outbox`,
    consumers: `${schema}.outbox_consumers`,
    end: `greatest((SELECT sequence FROM ${schema}.outbox WHERE sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1),
         (SELECT sequence FROM ${schema}.outbox_trim))`,
    named: (name, text) => statement(`tw_outbox_${name}:${schemaName}`, text),
  }
  return { ...writing(names), ...reading(names), ...noting(names), ...keeping(names) }
}

/** Adding rows and putting them in line. */
function writing({ schema, outbox, named }: Names) {
  return {
    /** $1 topics, $2 payloads, $3 contexts, $4 whether they are the bus's. An array each: taking a field out of an object would decode it, and \\u0000 can't be. */
    append: named(
      'append',
      `INSERT INTO ${outbox} (topic, payload, context, broadcast)
       SELECT topic, payload, nullif(context::text, 'null')::json, $4::text::boolean
       FROM ROWS FROM (json_array_elements_text($1::text::json), json_array_elements($2::text::json), json_array_elements($3::text::json))
         WITH ORDINALITY AS m (topic, payload, context, place) ORDER BY place RETURNING id::text`,
    ),
    notify: named('notify', `SELECT pg_notify($1::text, $2::text)::text`),
    /** $1 low, $2 batch. */
    line: named(
      'line',
      `SELECT last::text, moved, top::text, bound::text, running::text FROM ${schema}.outbox_line($1::text::bigint, $2::text::integer)`,
    ),
    /** $1 topics, $2 payloads. */
    broadcast: named('broadcast', `SELECT ${schema}.outbox_broadcast($1::text::json, $2::text::json)::text AS last`),
  }
}

/** Reading the line. */
function reading({ schema, outbox, consumers, end, named }: Names) {
  return {
    /**
     * $1 position, $2 limit. One statement, so that the end of the line and the messages are of one moment. outbox_in_line serves all of it;
     * the mark tells whether the row at the position is still the one that was read there.
     */
    tail: named(
      'tail',
      `SELECT line.last::text, trim.sequence::text AS trimmed,
         (SELECT ${mark('o')} FROM ${outbox} o WHERE o.sequence = line.last) AS "lastMark",
         (SELECT ${mark('o')} FROM ${outbox} o WHERE o.sequence = $1::text::bigint) AS "hereMark", m.*
       FROM (SELECT ${end} AS last) AS line CROSS JOIN ${schema}.outbox_trim AS trim
       LEFT JOIN LATERAL (
         SELECT ${MESSAGE} FROM ${outbox} o WHERE o.sequence > $1::text::bigint AND o.broadcast
         ORDER BY o.sequence LIMIT $2::text::integer
       ) AS m ON true ORDER BY m.sequence::bigint`,
    ),
    /** $1 consumer, $2 position, $3 limit. outbox_in_line, outbox_consumers_pkey */
    read: named(
      'read',
      `SELECT line.last::text, m.*
       FROM (SELECT ${end} AS last) AS line
       LEFT JOIN LATERAL (
         SELECT ${MESSAGE} FROM ${outbox} o, ${consumers} c
         WHERE c.name = $1::text AND o.sequence > $2::text::bigint AND NOT o.broadcast AND o.topic LIKE ANY (c.topics)
         ORDER BY o.sequence LIMIT $3::text::integer
       ) AS m ON true ORDER BY m.sequence::bigint`,
    ),
  }
}

/** How far consumers have got; each write of a leader carries its epoch. */
function noting({ schema, consumers, end, named }: Names) {
  return {
    /** $1 consumer, $2 patterns, $3 whether it begins at the end. Topics are added, never taken away: an older process beside this one may need them. outbox_consumers_pkey */
    register: named(
      'register',
      `INSERT INTO ${consumers} AS known (name, topics, position, epoch)
       SELECT $1::text, ARRAY(SELECT json_array_elements_text($2::text::json)),
         CASE WHEN $3::text::boolean THEN ${end} ELSE 0 END, 0
       ON CONFLICT (name) DO UPDATE SET topics = ARRAY(SELECT DISTINCT unnest(known.topics || excluded.topics))
       WHERE NOT known.topics @> excluded.topics`,
    ),
    /** $1 consumer, $2 epoch: nothing when a later leader has been. outbox_consumers_pkey */
    claim: named(
      'claim',
      `UPDATE ${consumers} SET epoch = $2::text::bigint WHERE name = $1::text AND epoch <= $2::text::bigint
       RETURNING position::text`,
    ),
    /** $1 consumer, $2 epoch, $3 position: nothing when the epoch is over. outbox_consumers_pkey */
    advance: named(
      'advance',
      `UPDATE ${consumers} SET position = $3::text::bigint, failures = 0, blocked_at = NULL, last_error = NULL, updated_at = ${schema}.now()
       WHERE name = $1::text AND epoch = $2::text::bigint AND position <= $3::text::bigint RETURNING position::text`,
    ),
    /** $1 consumer, $2 epoch, $3 sequence, $4 error. outbox_consumers_pkey */
    fail: named(
      'fail',
      `UPDATE ${consumers} SET failures = failures + 1, blocked_at = $3::text::bigint, last_error = $4::text, updated_at = ${schema}.now()
       WHERE name = $1::text AND epoch = $2::text::bigint RETURNING failures`,
    ),
  }
}

/** For people, and for keeping the table small. */
function keeping({ schema, outbox, consumers, end, named }: Names) {
  return {
    /** $1 consumer, $2 sequence: only the row that the line waits behind. outbox_consumers_pkey */
    skip: named(
      'skip',
      `UPDATE ${consumers} SET position = $2::text::bigint, failures = 0, blocked_at = NULL, last_error = NULL, updated_at = ${schema}.now()
       WHERE name = $1::text AND blocked_at = $2::text::bigint RETURNING name`,
    ),
    remove: named('remove', `DELETE FROM ${consumers} WHERE name = $1::text RETURNING name`),
    list: named(
      'list',
      `SELECT name, position::text, (${end} - position)::text AS behind, failures, blocked_at::text AS "blockedAt", last_error AS "lastError"
       FROM ${consumers} ORDER BY name`,
    ),
    /**
     * $1 from where, $2 rows at most, $3 age in ms, $4 rows kept at most. Deletes what is old and what nobody waits for, from the front of the line.
     * outbox_in_line; consumers are few.
     */
    trim: named(
      'trim',
      `WITH front AS (
         SELECT o.id, o.sequence, o.topic, o.broadcast,
           o.sequenced_at <= ${schema}.now() - $3::text::float8 * interval '1 millisecond'
             OR o.sequence <= ${end} - $4::text::bigint AS expired
         FROM ${outbox} o WHERE o.sequence > $1::text::bigint ORDER BY o.sequence LIMIT $2::text::integer
       ), gone AS (
         DELETE FROM ${outbox} o USING front f WHERE o.id = f.id AND f.expired
           AND (f.broadcast OR NOT EXISTS (SELECT FROM ${consumers} c WHERE c.position < f.sequence AND f.topic LIKE ANY (c.topics)))
         RETURNING o.sequence
       ), mark AS (
         UPDATE ${schema}.outbox_trim SET sequence = greatest(sequence, (SELECT max(sequence) FROM gone)) WHERE EXISTS (SELECT FROM gone)
       )
       SELECT (SELECT count(*) FROM front WHERE expired)::integer AS expired, (SELECT count(*) FROM gone)::integer AS gone,
         (SELECT max(sequence) FROM front WHERE expired)::text AS seen`,
    ),
  }
}
