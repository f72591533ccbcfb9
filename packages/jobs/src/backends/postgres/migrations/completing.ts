import { KEPT, OWNED, PLANS } from './ending.ts'

/**
 * Ends of which nothing is said but that they are completed: most of all. Nothing is looked up for each, which is two of the fifteen microseconds that a job's turn takes.
 *
 * @param schema quoted
 */
export function completing(schema: string): string {
  return `
    -- As jobs_end_v1, which it calls for what has more to it. Returns the ids that were refused.
    CREATE FUNCTION ${schema}.jobs_end_v2(
      me text, ids uuid[], attempts smallint[], outcomes text[], notes text[], delays float8[], moment timestamptz
    ) RETURNS uuid[] LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      settled uuid[];
      dropping text[];
      keys text[];
      parents uuid[];
      whys text[];
    BEGIN
      IF coalesce(outcomes, notes) IS NOT NULL THEN
        RETURN ${schema}.jobs_end_v1(me, ids, attempts, outcomes, notes, delays, moment);
      END IF;
      -- Queues are few.
      dropping := ARRAY(SELECT name FROM ${schema}.jobs_queues WHERE keeps_nothing);
      -- jobs_live_pkey
      WITH gone AS (
        DELETE FROM ${schema}.jobs_live WHERE ${OWNED}
        RETURNING ${KEPT}, run_at, attempt, crashes, error
      ), kept AS (
        INSERT INTO ${schema}.jobs_ended (${KEPT}, run_at, attempt, state, finished_at, crashes, error)
        SELECT ${KEPT}, run_at, attempt, 'completed', moment, crashes, error FROM gone
        WHERE parent_id IS NOT NULL OR queue <> ALL (dropping)
      ), counted AS (
        INSERT INTO ${schema}.jobs_minutes (queue, minute, completed, failed)
        SELECT queue, date_bin('1 minute', moment, 'epoch'), count(*), 0 FROM gone GROUP BY queue
      )
      SELECT array_agg(id), array_agg(unique_key) FILTER (WHERE unique_key IS NOT NULL), array_agg(parent_id) FILTER (WHERE parent_id IS NOT NULL),
        array_agg(NULL::text) FILTER (WHERE parent_id IS NOT NULL)
      INTO settled, keys, parents, whys FROM gone;
      IF dropping <> '{}' THEN
        -- jobs_logs_pkey, jobs_ended_pkey, jobs_live_pkey
        DELETE FROM ${schema}.jobs_logs WHERE job_id = ANY (ids) AND (SELECT true FROM ${schema}.jobs_ended AS job WHERE job.id = job_id) IS NULL
          AND (SELECT true FROM ${schema}.jobs_live AS job WHERE job.id = job_id) IS NULL;
      END IF;
      IF keys IS NOT NULL THEN
        -- jobs_unique_pkey
        DELETE FROM ${schema}.jobs_unique WHERE key = ANY (keys) AND job_id = ANY (settled) AND expires_at IS NULL;
      END IF;
      IF parents IS NOT NULL THEN
        PERFORM ${schema}.jobs_settle_v1(parents, whys, moment);
      END IF;
      IF coalesce(cardinality(settled), 0) = cardinality(ids) THEN
        RETURN NULL;
      END IF;
      RETURN (SELECT array_agg(said.id) FROM unnest(ids) AS said (id) WHERE said.id <> ALL (coalesce(settled, '{}')));
    END $$;`
}
