import { quoteSchema, type Statement, statement } from '@tailwater/postgres'
import { TAG_MS, TOMBSTONE_MS } from '../far_backend.ts'

/** What stands before the generation in the version of nothing; alone, nothing as the store finds it now. */
export const NOTHING = '-'

/** Rows of one bite of trimming or clearing: a transaction of some milliseconds. */
export const BITE = 1_000

/**
 * The statements of the far tier for one schema.
 *
 * Each decides and writes under the rows' locks, which are taken in the order of the keys, so that two never wait for each other. Time is the server's, read once in a
 * statement: the function is not inlined, and calling it for each row would cost more than the row.
 */
export type CacheStatements = ReturnType<typeof cacheStatements>

/** @param schemaName not quoted */
export function cacheStatements(schemaName: string) {
  const schema = quoteSchema(schemaName)
  const named = (name: string, text: string): Statement => statement(`tw_cache_${name}:${schemaName}`, text)
  return {
    ...entryStatements(schema, named),
    ...leaseStatements(schema, named),
    ...tagStatements(schema, named),
    ...browserStatements(schema, named),
    ...upkeepStatements(schema, named),
  }
}

type Named = (name: string, text: string) => Statement

/** Begins a statement: the time, once. */
const clock = (schema: string) => `clock AS MATERIALIZED (SELECT ${schema}.now() AS at)`
const AT = '(SELECT at FROM clock)'
const later = (ms: string | number) => `${AT} + ${ms}::float8 * interval '1 millisecond'`
/** An expected version as it can be compared: nothing of another generation is never what is found. */
const comparable = (schema: string, expected: string) =>
  `CASE WHEN ${expected} = '${NOTHING}' || (SELECT generation FROM ${schema}.cache_state) THEN '${NOTHING}'
        WHEN ${expected} LIKE '${NOTHING}%' THEN '!' ELSE ${expected} END`

function entryStatements(schema: string, named: Named) {
  const entries = `${schema}.cache_entries`
  // NULL counts as no.
  const fits = `CASE WHEN excluded.expected IS NULL THEN true
                     WHEN held.expires_at > ${AT} THEN held.version = excluded.expected
                     ELSE excluded.expected = '${NOTHING}'
                       AND (excluded.lease IS NULL OR (held.lease = excluded.lease AND held.lease_until > ${AT})) END`
  return {
    /** $1 keys. The last row, without a key, tells the generation; it is missing while there is none. cache_entries_pkey */
    read: named(
      'read',
      `WITH ${clock(schema)}
       SELECT key, version, envelope FROM ${entries} WHERE key = ANY($1::text[]) AND expires_at > ${AT}
       UNION ALL SELECT NULL, generation, NULL FROM ${schema}.cache_state`,
    ),
    /**
     * $1 keys, each once, $2 versions, $3 versions expected, $4 leases, $5 and $6 where the envelopes lie in $7, counted from 1, $8 milliseconds to live.
     * Returns the keys' versions as they are then. Where nothing lies under a key, a write that expects something, or holds a lease, has nothing to be held against.
     * A refused write changes the row only by giving its lease back. cache_entries_pkey
     */
    write: named(
      'write',
      `WITH ${clock(schema)}, given AS (
         SELECT w.key, w.version, ${comparable(schema, 'w.expected')} AS expected, w.lease,
           substring($7::bytea FROM w.start FOR w.length) AS envelope, ${later('w.ttl')} AS expires_at
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $8::float8[])
           AS w(key, version, expected, lease, start, length, ttl)
       )
       INSERT INTO ${entries} AS held (key, version, envelope, expires_at, expected, lease)
       SELECT key, version, envelope, expires_at, expected, lease FROM given
       WHERE expected IS NULL OR (expected = '${NOTHING}' AND lease IS NULL)
         OR EXISTS (SELECT FROM ${entries} e WHERE e.key = given.key)
       ORDER BY key COLLATE "C"
       ON CONFLICT (key) DO UPDATE SET (version, envelope, expires_at, lease) = (
         SELECT CASE WHEN decision.ok THEN excluded.version ELSE held.version END,
           CASE WHEN decision.ok THEN excluded.envelope ELSE held.envelope END,
           CASE WHEN decision.ok THEN excluded.expires_at ELSE held.expires_at END,
           NULLIF(held.lease, excluded.lease)
         FROM (SELECT ${fits} AS ok OFFSET 0) AS decision
       )
       RETURNING key, version`,
    ),
    /** $1 keys, each once, $2 the tombstones' version. cache_entries_pkey */
    invalidate: named(
      'invalidate',
      `WITH ${clock(schema)}
       INSERT INTO ${entries} AS held (key, version, envelope, expires_at)
       SELECT key, $2::text, NULL, ${later(TOMBSTONE_MS)} FROM unnest($1::text[]) AS given(key) ORDER BY key COLLATE "C"
       ON CONFLICT (key) DO UPDATE SET version = excluded.version, envelope = NULL, expires_at = excluded.expires_at, lease = NULL
       RETURNING key`,
    ),
    /** $1 key, $2 version, $3 milliseconds to live. cache_entries_pkey */
    touch: named(
      'touch',
      `WITH ${clock(schema)}
       UPDATE ${entries} SET expires_at = ${later('$3')}
       WHERE key = $1::text AND version = $2::text AND envelope IS NOT NULL AND expires_at > ${AT} RETURNING key`,
    ),
  }
}

function leaseStatements(schema: string, named: Named) {
  const entries = `${schema}.cache_entries`
  return {
    /** $1 keys, each once, $2 versions seen, $3 tokens, $4 milliseconds. Returns granted, held or changed for each key. cache_entries_pkey */
    acquire: named(
      'acquire',
      `WITH ${clock(schema)}, given AS MATERIALIZED (
         SELECT key, ${comparable(schema, 'w.seen')} AS seen, token FROM unnest($1::text[], $2::text[], $3::text[]) AS w(key, seen, token)
       ), taken AS (
         INSERT INTO ${entries} AS held (key, version, expires_at, expected, lease, lease_until)
         SELECT key, '', '-infinity', seen, token, ${later('$4')} FROM given
         WHERE seen = '${NOTHING}' OR EXISTS (SELECT FROM ${entries} e WHERE e.key = given.key)
         ORDER BY key COLLATE "C"
         ON CONFLICT (key) DO UPDATE SET lease = excluded.lease, lease_until = excluded.lease_until
         WHERE CASE WHEN held.expires_at > ${AT} THEN held.version ELSE '${NOTHING}' END = excluded.expected
           AND (held.lease IS NULL OR held.lease = excluded.lease OR held.lease_until <= ${AT})
         RETURNING key
       )
       SELECT given.key, CASE WHEN taken.key IS NOT NULL THEN 'granted'
         WHEN seen = coalesce(present.version, '${NOTHING}') THEN 'held'
         ELSE 'changed' END AS answer
       FROM given LEFT JOIN taken ON taken.key = given.key
         LEFT JOIN ${entries} present ON present.key = given.key AND present.expires_at > ${AT}`,
    ),
    /** $1 key, $2 token, $3 milliseconds. cache_entries_pkey */
    renew: named(
      'renew',
      `WITH ${clock(schema)}
       UPDATE ${entries} SET lease_until = ${later('$3')} WHERE key = $1::text AND lease = $2::text AND lease_until > ${AT}
       RETURNING key`,
    ),
    /** $1 key, $2 token. cache_entries_pkey */
    release: named(
      'release',
      `UPDATE ${entries} SET lease = NULL WHERE key = $1::text AND lease = $2::text RETURNING key`,
    ),
  }
}

function tagStatements(schema: string, named: Named) {
  const tags = `${schema}.cache_tags`
  const microseconds = `(extract(epoch FROM ${AT}) * 1000000)::bigint`
  /**
   * Sets the counter under its row's lock, which lets one at a time go on to the tags, and begins it, and with it a generation, at the server's
   * microseconds.
   */
  const counter = (present: string, first: string) => `counter AS (
         INSERT INTO ${schema}.cache_state AS held (generation, number) VALUES (gen_random_uuid()::text, ${first})
         ON CONFLICT (id) DO UPDATE SET number = ${present} RETURNING number
       )`
  return {
    /** $1 names. Tags that will live for more than half of their time; the last row, without a name, is the counter. cache_tags_pkey */
    numbers: named(
      'numbers',
      `WITH ${clock(schema)}
       SELECT name, number::float8 FROM ${tags} WHERE name = ANY($1::text[]) AND expires_at > ${later(TAG_MS / 2)}
       UNION ALL SELECT NULL, number::float8 FROM ${schema}.cache_state`,
    ),
    /** $1 names, each once, $2 floor. Gives numbers to those that have none, and a new life to all. cache_tags_pkey */
    name: named(
      'name',
      `WITH ${clock(schema)}, ${counter('GREATEST(held.number, $2::float8::bigint)', `GREATEST(${microseconds}, $2::float8::bigint)`)}, given AS (
         INSERT INTO ${tags} AS held (name, number, expires_at)
         SELECT name, (SELECT number FROM counter), ${later(TAG_MS)} FROM unnest($1::text[]) AS given(name)
         ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at,
           number = CASE WHEN held.expires_at > ${AT} THEN held.number ELSE excluded.number END
         RETURNING name, number
       )
       SELECT name, number::float8 FROM given UNION ALL SELECT NULL, number::float8 FROM counter`,
    ),
    /** $1 names, each once. cache_tags_pkey */
    invalidateTags: named(
      'invalidate_tags',
      `WITH ${clock(schema)}, ${counter(`GREATEST(held.number + 1, ${microseconds})`, microseconds)}, given AS (
         INSERT INTO ${tags} AS held (name, number, expires_at)
         SELECT name, (SELECT number FROM counter), ${later(TAG_MS)} FROM unnest($1::text[]) AS given(name)
         ON CONFLICT (name) DO UPDATE SET number = excluded.number, expires_at = excluded.expires_at
       )
       SELECT number::float8 FROM counter`,
    ),
  }
}

function browserStatements(schema: string, named: Named) {
  const entries = `${schema}.cache_entries`
  return {
    /** $1 key to begin after, $2 key to begin with at the earliest, $3 how many. Bytes are null where there is no entry. cache_entries_pkey */
    scan: named(
      'scan',
      `WITH ${clock(schema)}
       SELECT key, CASE WHEN expires_at > ${AT} THEN octet_length(envelope) END AS bytes,
         (extract(epoch FROM expires_at - ${AT}) * 1000)::float8 AS ttl
       FROM ${entries} WHERE key > $1::text AND key >= $2::text ORDER BY key LIMIT $3::int`,
    ),
    /** $1 key to begin after, $2 how many. cache_entries_pkey */
    clear: named(
      'clear',
      `WITH bite AS (SELECT key FROM ${entries} WHERE key > $1::text ORDER BY key LIMIT $2::int FOR UPDATE),
       gone AS (DELETE FROM ${entries} WHERE key IN (SELECT key FROM bite))
       SELECT max(key) AS last FROM bite`,
    ),
  }
}

function upkeepStatements(schema: string, named: Named) {
  const entries = `${schema}.cache_entries`
  const tags = `${schema}.cache_tags`
  return {
    /** Makes the row with the generation, if it is not there. */
    begin: named(
      'begin',
      `INSERT INTO ${schema}.cache_state (generation, number)
       VALUES (gen_random_uuid()::text, (extract(epoch FROM ${schema}.now()) * 1000000)::bigint) ON CONFLICT (id) DO NOTHING RETURNING id`,
    ),
    time: named('time', `SELECT (extract(epoch FROM ${schema}.now()) * 1000)::float8 AS time`),
    /** $1 how many. cache_entries_expiry; what another process is just trimming is left to it. */
    trimEntries: named(
      'trim_entries',
      `WITH ${clock(schema)}
       DELETE FROM ${entries} WHERE key IN (
         SELECT key FROM ${entries} WHERE expires_at <= ${AT} AND (lease IS NULL OR lease_until <= ${AT})
         ORDER BY expires_at LIMIT $1::int FOR UPDATE SKIP LOCKED
       ) RETURNING key`,
    ),
    /** $1 how many. cache_tags_expiry */
    trimTags: named(
      'trim_tags',
      `WITH ${clock(schema)}
       DELETE FROM ${tags} WHERE name IN (
         SELECT name FROM ${tags} WHERE expires_at <= ${AT} ORDER BY expires_at LIMIT $1::int FOR UPDATE SKIP LOCKED
       ) RETURNING name`,
    ),
  }
}
