import { type Statement, statement } from '@tailwater/postgres'

/** The engine's statements for one schema. Times are the server's: no process's clock decides who owns a job. */
export interface JobStatements {
  enqueue: Statement
  claim: Statement
  complete: Statement
  fail: Statement
  release: Statement
  renew: Statement
  count: Statement
  trim: Statement
}

/** @param schema quoted */
export function jobStatements(schema: string): JobStatements {
  const jobs = `${schema}.jobs`
  const now = `${schema}.now()`
  return {
    enqueue: statement(
      'jobs_enqueue',
      `INSERT INTO ${jobs} (id, kind, payload, max_attempts, run_at, created_at, request_id, traceparent)
       VALUES ($1::text::uuid, $2::text, $3::text::jsonb, $4::text::smallint, ${now}, ${now}, $5::text, $6::text) RETURNING id::text`,
    ),
    // Index jobs_due for due ones, jobs_leased for those of dead workers; $5 are those that the claimer itself still runs. A job that killed its
    // worker on its last attempt is not run again.
    claim: statement(
      'jobs_claim',
      `WITH due AS (
         SELECT id FROM ${jobs} WHERE state IN ('available', 'retryable') AND run_at <= ${now} AND kind = ANY($3::text[]) AND id <> ALL ($5::uuid[])
         ORDER BY run_at LIMIT $2 FOR UPDATE SKIP LOCKED
       ), lost AS (
         SELECT id FROM ${jobs} WHERE state = 'running' AND lease_until < ${now} AND kind = ANY($3::text[]) AND id <> ALL ($5::uuid[])
         ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED
       ), picked AS (SELECT id FROM lost UNION ALL SELECT id FROM due LIMIT $2)
       UPDATE ${jobs} j SET
         state = CASE WHEN attempt >= max_attempts THEN 'dead' ELSE 'running' END,
         error = CASE WHEN attempt >= max_attempts THEN 'its worker died during the last attempt' ELSE error END,
         finished_at = CASE WHEN attempt >= max_attempts THEN ${now} END,
         attempt = LEAST(attempt + 1, max_attempts), owner = $1, lease_until = ${now} + $4 * interval '1 millisecond'
       FROM picked WHERE j.id = picked.id
       RETURNING j.id::text, kind, payload, state, attempt, max_attempts AS "maxAttempts", request_id AS "requestId", traceparent,
         GREATEST(0, extract(epoch FROM ${now} - run_at) * 1000)::float8 AS "waitMs"`,
    ),
    complete: statement(
      'jobs_complete',
      `UPDATE ${jobs} SET state = 'completed', finished_at = ${now}, lease_until = NULL
       WHERE id = $1::uuid AND owner = $2 AND attempt = $3 AND state = 'running' RETURNING id::text`,
    ),
    fail: statement(
      'jobs_fail',
      `UPDATE ${jobs} SET state = CASE WHEN attempt >= max_attempts THEN 'dead' ELSE 'retryable' END,
         finished_at = CASE WHEN attempt >= max_attempts THEN ${now} END,
         run_at = ${now} + $4 * interval '1 millisecond', error = $5, lease_until = NULL
       WHERE id = $1::uuid AND owner = $2 AND attempt = $3 AND state = 'running' RETURNING state`,
    ),
    // Given back at a stop: the attempt does not count.
    release: statement(
      'jobs_release',
      `UPDATE ${jobs} SET state = 'available', attempt = attempt - 1, lease_until = NULL
       WHERE id = ANY($1::uuid[]) AND owner = $2 AND state = 'running' RETURNING id::text`,
    ),
    renew: statement(
      'jobs_renew',
      `UPDATE ${jobs} SET lease_until = ${now} + $3 * interval '1 millisecond'
       WHERE id = ANY($1::uuid[]) AND owner = $2 AND state = 'running' RETURNING id::text`,
    ),
    // Indexes jobs_due, jobs_leased and jobs_dead: asked once a second, it must not read the completed ones of a week.
    count: statement(
      'jobs_count',
      `SELECT state, count(*)::int AS count FROM ${jobs} WHERE state IN ('available', 'retryable') GROUP BY state
       UNION ALL SELECT 'running', count(*)::int FROM ${jobs} WHERE state = 'running'
       UNION ALL SELECT 'dead', count(*)::int FROM ${jobs} WHERE state = 'dead'`,
    ),
    // Index jobs_finished; a bounded bite, so that a long backlog never makes a long transaction.
    trim: statement(
      'jobs_trim',
      `DELETE FROM ${jobs} WHERE id IN (SELECT id FROM ${jobs} WHERE state = 'completed' AND finished_at < ${now} - $1 * interval '1 millisecond'
       ORDER BY finished_at LIMIT 1000 FOR UPDATE SKIP LOCKED)`,
    ),
  }
}
