/** Columns that a job takes along from `jobs_live` to `jobs_ended`. */
export const KEPT = `id, enqueued_at, started_at, timeout, priority, max_attempts, has_children, fails_with_child, parent_id,
        queue, kind, key, unique_key, request_id, traceparent, tags, progress, payload`

/**
 * How jobs end, and what their end means for their parents.
 *
 * Each statement of a function sees what was committed before it began, so that what was read under a lock is true while the lock is held.
 *
 * Plans are made when the tables are small, or were just emptied and vacuumed, and must be right when they are not: to the planner, reading all of an empty
 * index is as good as looking for one row in it. So it is left no choice. Jobs are found by `id = ANY`, and what is said of each is looked up in a map rather
 * than joined; what belongs to another row is asked for by a subquery in the place of a value, which cannot be made a join; and a condition that another
 * index than the one that is meant could answer stands within CASE, where none is looked for.
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
      reasons jsonb;
    BEGIN
      WHILE parents IS NOT NULL LOOP
        -- jobs_live_pkey
        PERFORM (SELECT true FROM ${schema}.jobs_live AS job WHERE job.id = p.id FOR UPDATE)
          FROM (SELECT DISTINCT id FROM unnest(parents) AS u (id) ORDER BY id) AS p;
        -- The first that is said of each.
        SELECT jsonb_object_agg(parent, why) INTO reasons FROM (
          SELECT DISTINCT ON (parent) parent, why FROM unnest(parents, whys) WITH ORDINALITY AS t (parent, why, place)
          WHERE why IS NOT NULL ORDER BY parent, place
        ) AS hurt;
        above := NULL;
        keys := NULL;
        IF reasons IS NOT NULL THEN
          -- jobs_live_pkey
          WITH gone AS (
            DELETE FROM ${schema}.jobs_live WHERE id = ANY (parents) AND state = 'pending' AND fails_with_child AND reasons ? id::text RETURNING *
          ), kept AS (
            INSERT INTO ${schema}.jobs_ended (${KEPT}, run_at, attempt, state, finished_at, crashes, error)
            SELECT ${KEPT}, run_at, attempt, 'dead', moment, crashes, reasons->>id::text FROM gone
          )
          SELECT array_agg(unique_key) FILTER (WHERE unique_key IS NOT NULL), array_agg(parent_id) FILTER (WHERE parent_id IS NOT NULL),
            array_agg(${childIs("'dead'")}) FILTER (WHERE parent_id IS NOT NULL)
          INTO keys, above, above_whys FROM gone;
        END IF;
        IF keys IS NOT NULL THEN
          -- jobs_unique_pkey
          DELETE FROM ${schema}.jobs_unique WHERE key = ANY (keys) AND job_id = ANY (parents) AND expires_at IS NULL;
        END IF;
        -- jobs_live_pkey, jobs_live_children
        UPDATE ${schema}.jobs_live AS parent SET
          state = CASE WHEN run_at > moment THEN 'scheduled' ELSE 'available' END::${schema}.job_state,
          run_at = greatest(run_at, moment), ready_at = greatest(run_at, moment), seq = nextval('${schema}.jobs_places')
        WHERE id = ANY (parents) AND state = 'pending'
          AND (SELECT true FROM ${schema}.jobs_live AS child WHERE child.parent_id = parent.id LIMIT 1) IS NULL;
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

/** What a worker says counts for jobs that it still owns, in the attempt it was given. */
export const OWNED = `id = ANY (ids) AND CASE WHEN state = 'running'
          THEN worker = me AND (id, attempt) IN (SELECT said.id, said.attempt FROM unnest(ids, attempts) AS said (id, attempt)) END`

/** How attempts ended, whatever there is to say of them. */
function end(schema: string): string {
  const owned = OWNED
  const said = (place: number) => `(said->(id::text || attempt)->>${place})`
  return `
    -- How attempts ended. outcomes: all completed if NULL; notes: results or errors; delays in ms. Returns the ids that were refused.
    CREATE FUNCTION ${schema}.jobs_end_v1(
      me text, ids uuid[], attempts smallint[], outcomes text[], notes text[], delays float8[], moment timestamptz
    ) RETURNS uuid[] LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      -- By id and attempt: outcome, note, delay. NULL if all that is said is that they completed.
      said jsonb;
      settled text[];
      holders uuid[];
      dropping text[];
      keys text[];
      parents uuid[];
      whys text[];
    BEGIN
      IF coalesce(outcomes, notes) IS NOT NULL THEN
        SELECT jsonb_object_agg(t.id::text || t.attempt, jsonb_build_array(coalesce(t.outcome, 'completed'), t.note, t.delay)) INTO said
        FROM unnest(ids, attempts, outcomes, notes, delays) AS t (id, attempt, outcome, note, delay);
      END IF;
${gone(schema, owned, said)}
      IF coalesce(cardinality(settled), 0) = cardinality(ids) THEN
        RETURN NULL;
      END IF;
${back(schema, owned, said, 'failed')}
${back(schema, owned, said, 'snoozed')}
      RETURN (SELECT array_agg(t.id) FROM unnest(ids, attempts) AS t (id, attempt)
        WHERE t.id::text || t.attempt <> ALL (coalesce(settled, '{}')));
    END $$;`
}

/** What ended for good. */
function gone(schema: string, owned: string, said: (place: number) => string): string {
  return `
      -- Queues are few.
      dropping := ARRAY(SELECT name FROM ${schema}.jobs_queues WHERE keeps_nothing);
      -- jobs_live_pkey
      WITH gone AS (
        DELETE FROM ${schema}.jobs_live WHERE ${owned}
          AND (said IS NULL OR ${said(0)} IN ('completed', 'dead', 'cancelled') OR cancelling OR (${said(0)} = 'failed' AND attempt >= max_attempts))
        RETURNING *, id::text || attempt AS mark, ${said(1)} AS note,
          CASE ${said(0)} WHEN 'snoozed' THEN moment + ${said(2)}::float8 * interval '1 millisecond' END AS snoozed_until, CASE
            WHEN said IS NULL OR ${said(0)} = 'completed' THEN 'completed'
            WHEN ${said(0)} = 'cancelled' OR (cancelling AND ${said(0)} <> 'dead') THEN 'cancelled'
            ELSE 'dead' END::${schema}.job_state AS final
      ), kept AS (
        INSERT INTO ${schema}.jobs_ended (${KEPT}, run_at, attempt, state, finished_at, crashes, result, error)
        SELECT ${KEPT}, coalesce(snoozed_until, run_at), attempt - CASE WHEN snoozed_until IS NULL THEN 0 ELSE 1 END, final, moment, crashes,
          CASE WHEN final = 'completed' THEN note END, CASE WHEN final = 'completed' THEN error ELSE coalesce(note, error) END
        FROM gone WHERE final <> 'completed' OR parent_id IS NOT NULL OR queue <> ALL (dropping)
      ), counted AS (
        INSERT INTO ${schema}.jobs_minutes (queue, minute, completed, failed)
        SELECT queue, date_bin('1 minute', moment, 'epoch'), count(*) FILTER (WHERE final = 'completed'), count(*) FILTER (WHERE final <> 'completed')
        FROM gone WHERE snoozed_until IS NULL GROUP BY queue
      )
      SELECT array_agg(mark), array_agg(id) FILTER (WHERE unique_key IS NOT NULL), array_agg(unique_key) FILTER (WHERE unique_key IS NOT NULL),
        array_agg(parent_id) FILTER (WHERE parent_id IS NOT NULL),
        array_agg(CASE WHEN final <> 'completed' THEN ${childIs('final')} END) FILTER (WHERE parent_id IS NOT NULL)
      INTO settled, holders, keys, parents, whys FROM gone;
      IF dropping <> '{}' THEN
        -- jobs_logs_pkey, jobs_ended_pkey, jobs_live_pkey
        DELETE FROM ${schema}.jobs_logs WHERE job_id = ANY (ids) AND (SELECT true FROM ${schema}.jobs_ended AS job WHERE job.id = job_id) IS NULL
          AND (SELECT true FROM ${schema}.jobs_live AS job WHERE job.id = job_id) IS NULL;
      END IF;
      IF keys IS NOT NULL THEN
        -- jobs_unique_pkey
        DELETE FROM ${schema}.jobs_unique WHERE key = ANY (keys) AND job_id = ANY (holders) AND expires_at IS NULL;
      END IF;
      IF parents IS NOT NULL THEN
        PERFORM ${schema}.jobs_settle_v1(parents, whys, moment);
      END IF;`
}

/** What comes again. A snoozed attempt is not counted. */
function back(schema: string, owned: string, said: (place: number) => string, outcome: 'failed' | 'snoozed'): string {
  const delay = `greatest(${said(2)}::float8, 0)`
  const [state, uncounted, error] = outcome === 'failed' ? ['retryable', 0, said(1)] : ['scheduled', 1, 'error']
  return `
      IF '${outcome}' = ANY (outcomes) THEN
        -- jobs_live_pkey
        WITH back AS (
          UPDATE ${schema}.jobs_live SET
            state = CASE WHEN ${delay} = 0 THEN 'available' ELSE '${state}' END::${schema}.job_state, worker = NULL,
            attempt = attempt - ${uncounted}, error = ${error},
            run_at = moment + ${delay} * interval '1 millisecond', ready_at = moment, seq = nextval('${schema}.jobs_places')
          WHERE ${owned} AND ${said(0)} = '${outcome}'
          RETURNING id, queue, attempt
        ), counted AS (
          INSERT INTO ${schema}.jobs_minutes (queue, minute, completed, failed)
          SELECT queue, date_bin('1 minute', moment, 'epoch'), 0, count(*) FROM back GROUP BY queue HAVING '${outcome}' = 'failed'
        )
        SELECT settled || array_agg(id::text || (attempt + ${uncounted})) INTO settled FROM back;
      END IF;`
}
