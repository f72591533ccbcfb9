/** Columns that a job takes along from `jobs_live` to `jobs_ended`. */
const KEPT = `id, enqueued_at, started_at, timeout, priority, max_attempts, has_children, fails_with_child, parent_id,
        queue, kind, key, unique_key, request_id, traceparent, tags, progress, payload`

/**
 * How jobs end, and what their end means for their parents.
 *
 * Each statement of a function sees what was committed before it began, so that what was read under a lock is true while the lock is held.
 *
 * Plans are kept from when the tables were small, and must be right when they are not. So scans of whole tables and joins that would need them are switched
 * off, and a condition that another index than the one that is meant could answer is put where the planner does not look for one: within CASE.
 *
 * @param schema quoted
 */
export function ending(schema: string): string {
  return `${settle(schema)}
${finish(schema)}
${end(schema)}`
}

/**
 * Far enough to stand before everything that became available in its time: how long what is given back, or rescued, stands first in its priority, the moment kept. In hours, because
 * days are of the session's time zone.
 */
export const FIRST = `interval '8760000 hours'`

/** What a function of ours is set to. */
export const PLANS = `SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_sort = off`

/**
 * A parent waits while it has children in jobs_live. Its row is locked before that is looked at: of two last children that end at once, the one that
 * comes second sees that the other has ended.
 */
function settle(schema: string): string {
  return `
    -- parents: of jobs that ended, once for each; whys: what makes the parent dead if it fails with a child, NULL for a child that completed.
    CREATE FUNCTION ${schema}.jobs_settle_v1(parents uuid[], whys text[], moment timestamptz) RETURNS void LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      keys text[];
      above uuid[];
      above_whys text[];
    BEGIN
      WHILE parents IS NOT NULL LOOP
        -- jobs_live_pkey
        PERFORM FROM ${schema}.jobs_live WHERE id = ANY (parents) AND state = 'pending' ORDER BY id FOR UPDATE;
        -- jobs_live_pkey
        WITH hurt AS (
          SELECT parent, (array_agg(why ORDER BY place))[1] AS why FROM unnest(parents, whys) WITH ORDINALITY AS t (parent, why, place)
          WHERE why IS NOT NULL GROUP BY parent
        ), gone AS (
          DELETE FROM ${schema}.jobs_live AS job USING hurt WHERE job.id = hurt.parent AND job.state = 'pending' AND job.fails_with_child
          RETURNING job.*, hurt.why
        ), kept AS (
          INSERT INTO ${schema}.jobs_ended (${KEPT}, run_at, attempt, state, finished_at, crashes, error)
          SELECT ${KEPT}, run_at, attempt, 'dead', moment, crashes, why FROM gone
        )
        SELECT array_agg(unique_key) FILTER (WHERE unique_key IS NOT NULL), array_agg(parent_id) FILTER (WHERE parent_id IS NOT NULL),
          array_agg(${childIs("'dead'")}) FILTER (WHERE parent_id IS NOT NULL)
        INTO keys, above, above_whys FROM gone;
        IF keys IS NOT NULL THEN
          -- jobs_unique_pkey
          DELETE FROM ${schema}.jobs_unique WHERE key = ANY (keys) AND job_id = ANY (parents) AND expires_at IS NULL;
        END IF;
        -- jobs_live_pkey, jobs_live_children
        UPDATE ${schema}.jobs_live AS parent SET
          state = CASE WHEN run_at > moment THEN 'scheduled' ELSE 'available' END::${schema}.job_state,
          run_at = greatest(run_at, moment), ready_at = greatest(run_at, moment), seq = nextval('${schema}.jobs_places')
        WHERE id = ANY (parents) AND state = 'pending'
          AND NOT EXISTS (SELECT FROM ${schema}.jobs_live AS child WHERE child.parent_id = parent.id);
        parents := above;
        whys := above_whys;
      END LOOP;
    END $$;`
}

/** Why a parent is dead. */
export const childIs = (state: string) => `format('E_JOB_CHILD: its child %s of kind ''%s'' is %s', id, kind, ${state})`

function finish(schema: string): string {
  return `
    -- Ends jobs in whatever state they are. The caller has locked them.
    CREATE FUNCTION ${schema}.jobs_finish_v1(ids uuid[], final ${schema}.job_state, crashed integer, moment timestamptz) RETURNS void
    LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      keys text[];
      parents uuid[];
      whys text[];
    BEGIN
      -- jobs_live_pkey
      WITH gone AS (
        DELETE FROM ${schema}.jobs_live WHERE id = ANY (ids) RETURNING *
      ), kept AS (
        INSERT INTO ${schema}.jobs_ended (${KEPT}, run_at, attempt, state, finished_at, crashes, error)
        SELECT ${KEPT}, run_at, attempt, final, moment, crashes + crashed, CASE WHEN crashed > 0 AND final = 'dead'
          THEN format('E_JOB_POISON: its worker died %s times, in attempt %s of %s', crashes + crashed, attempt, max_attempts) ELSE error END
        FROM gone
      )
      SELECT array_agg(unique_key) FILTER (WHERE unique_key IS NOT NULL), array_agg(parent_id) FILTER (WHERE parent_id IS NOT NULL),
        array_agg(CASE WHEN final <> 'completed' THEN ${childIs('final')} END) FILTER (WHERE parent_id IS NOT NULL)
      INTO keys, parents, whys FROM gone;
      IF keys IS NOT NULL THEN
        -- jobs_unique_pkey
        DELETE FROM ${schema}.jobs_unique WHERE key = ANY (keys) AND job_id = ANY (ids) AND expires_at IS NULL;
      END IF;
      IF parents IS NOT NULL THEN
        PERFORM ${schema}.jobs_settle_v1(parents, whys, moment);
      END IF;
    END $$;`
}

/** The fence: what a worker says counts for jobs that it still owns, in the attempt it was given. */
function end(schema: string): string {
  const owned = `job.id = said.id AND CASE WHEN job.state = 'running' THEN job.worker = me AND job.attempt = said.attempt END`
  return `
    -- How attempts ended. outcomes: all completed if NULL; notes: results or errors; delays in ms. Returns the ids that were refused.
    CREATE FUNCTION ${schema}.jobs_end_v1(
      me text, ids uuid[], attempts smallint[], outcomes text[], notes text[], delays float8[], moment timestamptz
    ) RETURNS uuid[] LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      settled bigint[];
      returned bigint[];
      holders uuid[];
      dropping text[];
      keys text[];
      parents uuid[];
      whys text[];
    BEGIN
      -- Queues are few.
      dropping := ARRAY(SELECT name FROM ${schema}.jobs_queues WHERE keeps_nothing);
      -- jobs_live_pkey
      WITH gone AS (
        DELETE FROM ${schema}.jobs_live AS job USING unnest(ids, attempts, outcomes, notes, delays) WITH ORDINALITY AS said (id, attempt, outcome, note, delay, place)
        WHERE ${owned}
          AND (said.outcome IS NULL OR said.outcome IN ('completed', 'dead', 'cancelled') OR job.cancelling
            OR (said.outcome = 'failed' AND job.attempt >= job.max_attempts))
        RETURNING job.*, said.place, said.outcome, said.note,
          CASE said.outcome WHEN 'snoozed' THEN moment + said.delay * interval '1 millisecond' END AS snoozed_until, CASE
          WHEN said.outcome IS NULL OR said.outcome = 'completed' THEN 'completed'
          WHEN said.outcome = 'cancelled' OR (job.cancelling AND said.outcome <> 'dead') THEN 'cancelled'
          ELSE 'dead' END::${schema}.job_state AS final
      ), kept AS (
        INSERT INTO ${schema}.jobs_ended (${KEPT}, run_at, attempt, state, finished_at, crashes, result, error)
        SELECT ${KEPT}, coalesce(snoozed_until, run_at), attempt - CASE WHEN snoozed_until IS NULL THEN 0 ELSE 1 END, final, moment, crashes, CASE WHEN final = 'completed' THEN note END,
          CASE WHEN final = 'completed' THEN error ELSE coalesce(note, error) END FROM gone
        WHERE final <> 'completed' OR parent_id IS NOT NULL OR queue <> ALL (dropping)
      ), counted AS (
        INSERT INTO ${schema}.jobs_minutes (queue, minute, completed, failed)
        SELECT queue, date_bin('1 minute', moment, 'epoch'), count(*) FILTER (WHERE final = 'completed'), count(*) FILTER (WHERE final <> 'completed')
        FROM gone WHERE snoozed_until IS NULL GROUP BY queue
      )
      SELECT array_agg(place), array_agg(id) FILTER (WHERE unique_key IS NOT NULL), array_agg(unique_key) FILTER (WHERE unique_key IS NOT NULL),
        array_agg(parent_id ORDER BY place) FILTER (WHERE parent_id IS NOT NULL),
        array_agg(CASE WHEN final <> 'completed' THEN ${childIs('final')} END ORDER BY place) FILTER (WHERE parent_id IS NOT NULL)
      INTO settled, holders, keys, parents, whys FROM gone;
      IF dropping <> '{}' THEN
        -- jobs_logs_pkey
        DELETE FROM ${schema}.jobs_logs WHERE job_id = ANY (ids) AND NOT EXISTS (SELECT FROM ${schema}.jobs_ended WHERE id = job_id)
          AND NOT EXISTS (SELECT FROM ${schema}.jobs_live WHERE id = job_id);
      END IF;
      IF keys IS NOT NULL THEN
        -- jobs_unique_pkey
        DELETE FROM ${schema}.jobs_unique WHERE key = ANY (keys) AND job_id = ANY (holders) AND expires_at IS NULL;
      END IF;
      IF parents IS NOT NULL THEN
        PERFORM ${schema}.jobs_settle_v1(parents, whys, moment);
      END IF;
      IF coalesce(cardinality(settled), 0) = cardinality(ids) THEN
        RETURN NULL;
      END IF;
      -- jobs_live_pkey
      WITH back AS (
        UPDATE ${schema}.jobs_live AS job SET
          state = CASE WHEN said.delay <= 0 THEN 'available' WHEN said.outcome = 'failed' THEN 'retryable' ELSE 'scheduled' END::${schema}.job_state,
          attempt = job.attempt - CASE said.outcome WHEN 'failed' THEN 0 ELSE 1 END,
          run_at = moment + greatest(said.delay, 0) * interval '1 millisecond', ready_at = moment, seq = nextval('${schema}.jobs_places'), worker = NULL,
          error = CASE said.outcome WHEN 'failed' THEN said.note ELSE job.error END
        FROM unnest(ids, attempts, outcomes, notes, delays) WITH ORDINALITY AS said (id, attempt, outcome, note, delay, place)
        WHERE ${owned} AND said.outcome IN ('failed', 'snoozed')
        RETURNING job.queue, said.place, said.outcome
      ), counted AS (
        INSERT INTO ${schema}.jobs_minutes (queue, minute, completed, failed)
        SELECT queue, date_bin('1 minute', moment, 'epoch'), 0, count(*) FROM back WHERE outcome = 'failed' GROUP BY queue
      )
      SELECT array_agg(place) INTO returned FROM back;
      RETURN (SELECT array_agg(id ORDER BY place) FROM unnest(ids) WITH ORDINALITY AS said (id, place)
        WHERE place <> ALL (coalesce(settled, '{}')) AND place <> ALL (coalesce(returned, '{}')));
    END $$;`
}
