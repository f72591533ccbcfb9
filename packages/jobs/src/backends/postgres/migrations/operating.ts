import { childIs, PLANS } from './ending.ts'

/**
 * What operators do to jobs, by their ids.
 *
 * @param schema quoted
 */
export function operating(schema: string): string {
  return `${cancel(schema)}
${retry(schema)}
${remove(schema)}
${erase(schema)}
${edit(schema)}`
}

/** Locked in the order of their ids before any is touched, so that two trees with common jobs wait for each other. */
function cancel(schema: string): string {
  return `
    CREATE FUNCTION ${schema}.jobs_cancel_v1(of_id uuid) RETURNS boolean LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz := ${schema}.now();
      tree uuid[];
      idle uuid[];
    BEGIN
      -- jobs_live_pkey, jobs_live_children
      WITH RECURSIVE below AS (
        SELECT id FROM ${schema}.jobs_live WHERE id = of_id
        UNION ALL SELECT child.id FROM below
          CROSS JOIN LATERAL (SELECT id FROM ${schema}.jobs_live AS job WHERE job.parent_id = below.id OFFSET 0) AS child
      ) SELECT array_agg(id) INTO tree FROM below;
      -- jobs_live_pkey
      PERFORM (SELECT true FROM ${schema}.jobs_live AS job WHERE job.id = t.id FOR UPDATE) FROM (SELECT id FROM unnest(tree) AS u (id) ORDER BY id) AS t;
      UPDATE ${schema}.jobs_live SET cancelling = true WHERE id = ANY (tree) AND CASE WHEN state = 'running' THEN NOT cancelling END;
      SELECT array_agg(id) INTO idle FROM ${schema}.jobs_live WHERE id = ANY (tree) AND state <> 'running';
      IF idle IS NOT NULL THEN
        PERFORM ${schema}.jobs_finish_v1(idle, 'cancelled', 0, moment);
      END IF;
      RETURN of_id = ANY (idle) OR EXISTS (SELECT FROM ${schema}.jobs_live WHERE id = of_id);
    END $$;`
}

function retry(schema: string): string {
  const columns = `id, timeout, priority, max_attempts, has_children, fails_with_child, parent_id, kind, key, request_id, traceparent, tags, error, payload,
            enqueued_at, started_at, progress`
  return `
    -- Makes jobs available now; into another queue unless it is NULL. Returns how many.
    CREATE FUNCTION ${schema}.jobs_retry_v1(ids uuid[], into_queue text) RETURNS integer LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz := ${schema}.now();
      revived integer;
      hurried integer;
    BEGIN
      -- jobs_ended_pkey, jobs_live_children
      WITH gone AS (
        DELETE FROM ${schema}.jobs_ended WHERE id = ANY (ids) AND state IN ('dead', 'cancelled') RETURNING *
      ), back AS (
        INSERT INTO ${schema}.jobs_live (${columns}, queue, state, run_at, ready_at)
        SELECT ${columns}, coalesce(into_queue, queue),
          CASE WHEN (SELECT true FROM ${schema}.jobs_live AS child WHERE child.parent_id = gone.id LIMIT 1)
            OR (has_children AND EXISTS (SELECT FROM gone AS child WHERE child.parent_id = gone.id)) THEN 'pending' ELSE 'available' END::${schema}.job_state,
          moment, moment FROM gone ORDER BY id
      ) SELECT count(*) INTO revived FROM gone;
      -- jobs_live_pkey
      WITH hurried AS (
        UPDATE ${schema}.jobs_live SET state = 'available', queue = coalesce(into_queue, queue), run_at = moment, ready_at = moment,
          seq = nextval('${schema}.jobs_places')
        WHERE id = ANY (ids) AND CASE WHEN state IN ('scheduled', 'retryable') THEN true END RETURNING id
      ) SELECT count(*) INTO hurried FROM hurried;
      RETURN revived + hurried;
    END $$;`
}

function remove(schema: string): string {
  return `
    -- Deletes jobs that do not run, with what belongs to them. To its parent, one that had not ended is one that was cancelled. Returns how many.
    CREATE FUNCTION ${schema}.jobs_remove_v1(ids uuid[]) RETURNS integer LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      ended uuid[];
      live uuid[];
      keys text[];
      more text[];
      parents uuid[];
      whys text[];
    BEGIN
      -- jobs_ended_pkey
      WITH gone AS (DELETE FROM ${schema}.jobs_ended WHERE id = ANY (ids) RETURNING id, unique_key)
        SELECT array_agg(id), array_agg(unique_key) FILTER (WHERE unique_key IS NOT NULL) INTO ended, keys FROM gone;
      -- jobs_live_pkey
      WITH gone AS (DELETE FROM ${schema}.jobs_live WHERE id = ANY (ids) AND state <> 'running' RETURNING id, unique_key, parent_id, kind, state)
        SELECT array_agg(id), array_agg(unique_key) FILTER (WHERE unique_key IS NOT NULL),
          array_agg(parent_id) FILTER (WHERE parent_id IS NOT NULL), array_agg(${childIs('state')}) FILTER (WHERE parent_id IS NOT NULL)
        INTO live, more, parents, whys FROM gone;
      -- jobs_unique_pkey
      DELETE FROM ${schema}.jobs_unique WHERE key = ANY (keys || more) AND job_id = ANY (ended || live);
      -- jobs_logs_pkey
      DELETE FROM ${schema}.jobs_logs WHERE job_id = ANY (ended || live);
      PERFORM ${schema}.jobs_settle_v1(parents, whys, ${schema}.now());
      RETURN coalesce(cardinality(ended), 0) + coalesce(cardinality(live), 0);
    END $$;`
}

function erase(schema: string): string {
  return `
    -- Deletes what carries a key, and asks what runs to stop. Returns how many, those that had been asked before left out.
    CREATE FUNCTION ${schema}.jobs_erase_v1(of_key text, bite integer) RETURNS integer LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      ids uuid[];
      removed integer;
      running uuid;
      asked integer := 0;
    BEGIN
      ids := ARRAY(
        -- jobs_live_key
        (SELECT id FROM ${schema}.jobs_live WHERE key = of_key AND state <> 'running' LIMIT bite)
        -- jobs_ended_key
        UNION ALL (SELECT id FROM ${schema}.jobs_ended WHERE key = of_key LIMIT bite) LIMIT bite);
      removed := ${schema}.jobs_remove_v1(ids);
      -- jobs_live_key
      FOR running IN SELECT id FROM ${schema}.jobs_live WHERE key = of_key AND CASE WHEN state = 'running' THEN NOT cancelling END LIMIT bite - removed LOOP
        asked := asked + ${schema}.jobs_cancel_v1(running)::integer;
      END LOOP;
      RETURN removed + asked;
    END $$;`
}

function edit(schema: string): string {
  return `
    -- Changes what is not NULL of a job that does not run and is not completed. Returns its queue; no row if there is no such job.
    CREATE FUNCTION ${schema}.jobs_edit_v1(of_id uuid, new_payload text, new_priority smallint, new_moment float8, new_queue text) RETURNS SETOF text
    LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz := ${schema}.now();
      asked timestamptz := to_timestamp(new_moment / 1000.0);
      due timestamptz := greatest(asked, moment);
    BEGIN
      -- jobs_live_pkey
      RETURN QUERY UPDATE ${schema}.jobs_live SET
        payload = coalesce(new_payload, payload), priority = coalesce(new_priority, priority), queue = coalesce(new_queue, queue),
        run_at = CASE WHEN asked IS NULL THEN run_at WHEN state = 'pending' THEN asked ELSE due END,
        ready_at = CASE WHEN asked IS NULL THEN ready_at ELSE due END,
        seq = CASE WHEN asked IS NULL THEN seq ELSE nextval('${schema}.jobs_places') END,
        state = CASE WHEN asked IS NULL OR state = 'pending' THEN state WHEN due <= moment THEN 'available'
          WHEN state = 'available' THEN 'scheduled' ELSE state END
      WHERE id = of_id AND state <> 'running' RETURNING queue;
      IF FOUND THEN
        RETURN;
      END IF;
      -- jobs_ended_pkey
      RETURN QUERY UPDATE ${schema}.jobs_ended SET
        payload = coalesce(new_payload, payload), priority = coalesce(new_priority, priority), queue = coalesce(new_queue, queue),
        run_at = coalesce(asked, run_at)
      WHERE id = of_id AND state IN ('dead', 'cancelled') RETURNING queue;
    END $$;`
}
