import { PLANS } from './ending.ts'

/** The arrays of `jobs_add_v1`: one element a job, in their order; NULL for the whole array where no job has such a thing. */
const ARRAYS = `ids uuid[], queues text[], kinds text[], payloads text[], priorities smallint[], max_attempts smallint[],
      delays float8[], moments float8[], keys text[], timeouts bigint[], tags text[], requests text[], traces text[],
      parents uuid[], has_children boolean[], fails boolean[], roots integer[], uniques text[], ttls float8[], replaces boolean[]`

/**
 * How jobs come in: one statement for a batch, within the caller's transaction or alone.
 *
 * @param schema quoted
 */
export function entering(schema: string): string {
  return `${claimKeys(schema)}
${add(schema)}`
}

/**
 * A unique key is a row of its own rather than an index over jobs: it may outlive its job, or end before it. Keys are taken in their order, so that two
 * batches with the same keys wait for each other and do not deadlock.
 */
function claimKeys(schema: string): string {
  return `
    -- Takes the unique keys of a batch. One row for each job that does not get its own; twin: the place of the job that stands, if it is one of the batch.
    CREATE FUNCTION ${schema}.jobs_take_keys_v1(
      ids uuid[], payloads text[], priorities smallint[], delays float8[], moments float8[], has_children boolean[], uniques text[], ttls float8[],
      replaces boolean[], moment timestamptz
    ) RETURNS TABLE (place integer, job_id uuid, outcome text, twin integer) LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      wish record;
      standing uuid;
      due timestamptz;
    BEGIN
      FOR wish IN
        SELECT * FROM unnest(ids, payloads, priorities, delays, moments, has_children, uniques, ttls, replaces)
          WITH ORDINALITY AS w (id, payload, priority, delay, at, has_children, key, ttl, replaces, nth)
        WHERE w.key IS NOT NULL
          -- jobs_live_pkey, jobs_ended_pkey: what was stored by a call whose reply was lost has had its key.
          AND (SELECT true FROM ${schema}.jobs_live AS known WHERE known.id = w.id) IS NULL
          AND (SELECT true FROM ${schema}.jobs_ended AS known WHERE known.id = w.id) IS NULL
        ORDER BY w.key, w.nth
      LOOP
        -- jobs_unique_pkey
        INSERT INTO ${schema}.jobs_unique AS taken (key, job_id, expires_at)
        VALUES (wish.key, wish.id, moment + wish.ttl * interval '1 millisecond')
        ON CONFLICT (key) DO UPDATE SET job_id = excluded.job_id, expires_at = excluded.expires_at
          WHERE taken.expires_at <= moment OR taken.job_id = excluded.job_id;
        CONTINUE WHEN FOUND;
        SELECT taken.job_id INTO standing FROM ${schema}.jobs_unique AS taken WHERE taken.key = wish.key;
        place := wish.nth;
        job_id := standing;
        outcome := 'duplicate';
        twin := array_position(ids, standing);
        IF wish.replaces AND wish.has_children IS NOT TRUE THEN
          due := ${dueAt('wish.delay', 'wish.at')};
          -- jobs_live_pkey
          UPDATE ${schema}.jobs_live SET payload = wish.payload, priority = wish.priority, run_at = due, ready_at = due,
            state = CASE WHEN due > moment THEN 'scheduled' ELSE 'available' END::${schema}.job_state,
            seq = nextval('${schema}.jobs_places')
          WHERE id = standing AND state IN ('scheduled', 'available') AND attempt = 0;
          IF FOUND OR (twin IS NOT NULL AND coalesce(has_children[twin], false) = false) THEN
            outcome := 'replaced';
            -- jobs_unique_pkey
            UPDATE ${schema}.jobs_unique AS taken SET expires_at = moment + wish.ttl * interval '1 millisecond' WHERE taken.key = wish.key;
          END IF;
        END IF;
        RETURN NEXT;
      END LOOP;
    END $$;`
}

/** The later of both, and not before the present moment. */
function dueAt(delay: string, at: string): string {
  return `greatest(moment, moment + ${delay} * interval '1 millisecond', to_timestamp(${at} / 1000.0))`
}

function add(schema: string): string {
  return `
    -- Stores jobs; returns those that were not stored because another job of their unique key stands. delays and ttls in ms, moments in ms since 1970;
    -- tags each an array's text; fails: whether a child's end makes the job dead; roots: the place of the job that all above it belong to.
    CREATE FUNCTION ${schema}.jobs_add_v1(${ARRAYS})
    RETURNS TABLE (place integer, job_id uuid, outcome text) LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz := ${schema}.now();
      skipped integer[] := '{}';
      twin integer;
    BEGIN
      IF uniques IS NOT NULL THEN
        FOR place, job_id, outcome, twin IN
          SELECT * FROM ${schema}.jobs_take_keys_v1(ids, payloads, priorities, delays, moments, has_children, uniques, ttls, replaces, moment)
        LOOP
          skipped := skipped || place;
          IF outcome = 'replaced' AND twin IS NOT NULL THEN
            payloads[twin] := payloads[place];
            priorities[twin] := priorities[place];
            delays[twin] := delays[place];
            moments[twin] := moments[place];
          END IF;
          RETURN NEXT;
        END LOOP;
      END IF;
      -- jobs_ended_pkey: what was stored by a call whose reply was lost may have ended meanwhile.
      INSERT INTO ${schema}.jobs_live (id, queue, kind, payload, priority, max_attempts, run_at, ready_at, enqueued_at, key, timeout, tags,
        request_id, traceparent, parent_id, has_children, fails_with_child, unique_key, state)
      SELECT n.id, n.queue, n.kind, n.payload, n.priority, n.max_attempts, n.due, n.due, moment, n.key, n.timeout, n.tags::text[],
        n.request_id, n.traceparent, n.parent_id, coalesce(n.has_children, false), coalesce(n.fails, true), n.unique_key,
        CASE WHEN n.has_children THEN 'pending' WHEN n.due > moment THEN 'scheduled' ELSE 'available' END::${schema}.job_state
      FROM (
        SELECT a.*, ${dueAt('a.delay', 'a.at')} AS due
        FROM unnest(ids, queues, kinds, payloads, priorities, max_attempts, delays, moments, keys, timeouts, tags, requests, traces, parents,
          has_children, fails, roots, uniques) WITH ORDINALITY
          AS a (id, queue, kind, payload, priority, max_attempts, delay, at, key, timeout, tags, request_id, traceparent, parent_id,
            has_children, fails, root, unique_key, nth)
      ) AS n
      WHERE (skipped = '{}' OR coalesce(n.root, n.nth) <> ALL (skipped))
        AND (SELECT true FROM ${schema}.jobs_ended AS old WHERE old.id = n.id) IS NULL
      ORDER BY n.nth
      ON CONFLICT (id) DO NOTHING;
    END $$;`
}
