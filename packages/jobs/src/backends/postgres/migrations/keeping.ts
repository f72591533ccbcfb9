import { PLANS } from './ending.ts'

/**
 * What keeps the tables small and right, in bites; each may be called by several processes at once.
 *
 * @param schema quoted
 */
export function keeping(schema: string): string {
  return `${sumUp(schema)}
${retire(schema)}
${mend(schema)}
${adopt(schema)}`
}

function sumUp(schema: string): string {
  return `
    -- Adds up the rows of the tally and of the minutes, and forgets minutes that are over an hour old.
    CREATE FUNCTION ${schema}.jobs_sum_up_v1() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      WITH taken AS (
        DELETE FROM ${schema}.jobs_tally WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${schema}.jobs_tally LIMIT 200000 FOR UPDATE SKIP LOCKED)) RETURNING *
      ) INSERT INTO ${schema}.jobs_tally (queue, state, jobs)
        SELECT queue, state, sum(jobs) FROM taken GROUP BY queue, state HAVING sum(jobs) <> 0;
      DELETE FROM ${schema}.jobs_minutes WHERE minute < ${schema}.now() - interval '62 minutes';
      WITH taken AS (
        DELETE FROM ${schema}.jobs_minutes WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${schema}.jobs_minutes LIMIT 100000 FOR UPDATE SKIP LOCKED)) RETURNING *
      ) INSERT INTO ${schema}.jobs_minutes (queue, minute, completed, failed)
        SELECT queue, minute, sum(completed), sum(failed) FROM taken GROUP BY queue, minute;
    END $$;`
}

/** Children stay while their parent may ask for their results. */
function retire(schema: string): string {
  return `
    -- Deletes what has been kept for long enough, \`bite\` jobs of each queue and state at most. Returns how many.
    CREATE FUNCTION ${schema}.jobs_retire_v1(bite integer) RETURNS integer LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz := ${schema}.now();
      rule record;
      excess bigint;
      gone uuid[];
      total integer := 0;
    BEGIN
      FOR rule IN SELECT q.name, r.key::${schema}.job_state AS state, (r.value->>'age')::float8 AS age, (r.value->>'count')::bigint AS kept
        FROM ${schema}.jobs_queues AS q, json_each(q.retention) AS r
      LOOP
        excess := coalesce((SELECT sum(jobs) FROM ${schema}.jobs_tally WHERE queue = rule.name AND state = rule.state), 0) - rule.kept;
        -- jobs_ended_age, jobs_live_pkey
        gone := ARRAY(SELECT id FROM (
          SELECT id, finished_at, row_number() OVER (ORDER BY finished_at) AS place FROM ${schema}.jobs_ended AS old
          WHERE queue = rule.name AND state = rule.state
            AND (SELECT true FROM ${schema}.jobs_live AS parent WHERE parent.id = old.parent_id) IS NULL
          ORDER BY finished_at LIMIT bite
        ) AS oldest WHERE finished_at < moment - rule.age * interval '1 millisecond' OR place <= excess);
        CONTINUE WHEN gone = '{}';
        -- jobs_ended_pkey
        DELETE FROM ${schema}.jobs_ended WHERE id = ANY (gone);
        -- jobs_logs_pkey
        DELETE FROM ${schema}.jobs_logs WHERE job_id = ANY (gone);
        total := total + cardinality(gone);
      END LOOP;
      RETURN total;
    END $$;`
}

function mend(schema: string): string {
  return `
    -- Makes due and rescues what no worker's turn would see, and forgets what has no meaning any more. Returns queues in which jobs became available.
    CREATE FUNCTION ${schema}.jobs_mend_v1() RETURNS text[] LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz := ${schema}.now();
      due text;
      woken text[] := '{}';
    BEGIN
      FOR due IN SELECT queue FROM ${schema}.jobs_tally WHERE state IN ('scheduled', 'retryable') GROUP BY queue HAVING sum(jobs) > 0 LOOP
        -- jobs_live_due
        IF EXISTS (SELECT FROM ${schema}.jobs_live WHERE queue = due AND state IN ('scheduled', 'retryable') AND run_at <= moment) THEN
          PERFORM ${schema}.jobs_promote_v1(due, moment);
          woken := woken || due;
        END IF;
      END LOOP;
      -- jobs_live_running, jobs_workers_pkey: a worker that is not known gets a lease to show itself in.
      INSERT INTO ${schema}.jobs_workers (id, expires_at)
        SELECT DISTINCT worker, moment + interval '30 seconds' FROM ${schema}.jobs_live AS job WHERE state = 'running'
          AND NOT EXISTS (SELECT FROM ${schema}.jobs_workers AS w WHERE w.id = job.worker)
        ON CONFLICT (id) DO NOTHING;
      -- jobs_live_running
      woken := woken || ARRAY(SELECT DISTINCT queue FROM ${schema}.jobs_live WHERE state = 'running'
        AND worker IN (SELECT id FROM ${schema}.jobs_workers WHERE expires_at < moment));
      PERFORM ${schema}.jobs_rescue_v1(NULL, moment);
      -- jobs_unique_expiry
      DELETE FROM ${schema}.jobs_unique WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${schema}.jobs_unique WHERE expires_at <= moment ORDER BY expires_at LIMIT 5000 FOR UPDATE SKIP LOCKED));
      DELETE FROM ${schema}.jobs_key_rates WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${schema}.jobs_key_rates WHERE next_start <= moment LIMIT 5000 FOR UPDATE SKIP LOCKED));
      RETURN woken;
    END $$;`
}

/** Columns that the table of release 0.1 and both of ours share. */
const SHARED = `id, queue, kind, payload, state, priority, attempt, max_attempts, run_at, enqueued_at, request_id, traceparent, error`
const FROM_OLD = `id, 'default', kind, payload::text`
const BEHIND = `attempt, max_attempts, run_at, created_at, request_id, traceparent, error`

/**
 * Takes over from the table of release 0.1, `jobs`, while processes of that release may still run beside this one. What they enqueue lands here at once;
 * what they run they end in their table, from which it is taken when it has ended, is to be tried again, or its lease is over.
 */
function adopt(schema: string): string {
  return `
    CREATE FUNCTION ${schema}.jobs_adopt_v1(bite integer) RETURNS integer LANGUAGE plpgsql ${PLANS} AS $$
    DECLARE
      moment timestamptz := ${schema}.now();
      moved integer;
    BEGIN
      WITH gone AS (
        DELETE FROM ${schema}.jobs WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM ${schema}.jobs WHERE state <> 'running' OR lease_until < moment LIMIT bite FOR UPDATE SKIP LOCKED))
        RETURNING *
      ), live AS (
        INSERT INTO ${schema}.jobs_live (${SHARED}, ready_at, crashes)
        SELECT ${FROM_OLD}, CASE WHEN run_at > moment AND state = 'retryable' THEN 'retryable' WHEN run_at > moment AND state = 'available' THEN 'scheduled'
            ELSE 'available' END::${schema}.job_state, 128, ${BEHIND}, run_at, CASE state WHEN 'running' THEN 1 ELSE 0 END
        FROM gone WHERE state IN ('available', 'retryable') OR (state = 'running' AND attempt < max_attempts) ORDER BY run_at
      ), ended AS (
        INSERT INTO ${schema}.jobs_ended (${SHARED}, finished_at, crashes, has_children, fails_with_child)
        SELECT ${FROM_OLD}, CASE state WHEN 'completed' THEN 'completed' ELSE 'dead' END::${schema}.job_state, 128, attempt, max_attempts, run_at, created_at,
          request_id, traceparent, CASE state WHEN 'running' THEN 'E_JOB_POISON: its worker died in its last attempt' ELSE error END,
          coalesce(finished_at, moment), CASE state WHEN 'running' THEN 1 ELSE 0 END, false, true
        FROM gone WHERE state IN ('completed', 'dead') OR (state = 'running' AND attempt >= max_attempts)
      )
      SELECT count(*) INTO moved FROM gone;
      RETURN moved;
    END $$;

    CREATE FUNCTION ${schema}.jobs_redirect() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO ${schema}.jobs_live (${SHARED}, ready_at)
      VALUES (new.id, 'default', new.kind, new.payload::text, CASE WHEN new.run_at > ${schema}.now() THEN 'scheduled' ELSE 'available' END::${schema}.job_state,
        128, new.attempt, new.max_attempts, new.run_at, new.created_at, new.request_id, new.traceparent, new.error, new.run_at);
      RETURN NULL;
    END $$;
    CREATE TRIGGER jobs_redirect BEFORE INSERT ON ${schema}.jobs FOR EACH ROW EXECUTE FUNCTION ${schema}.jobs_redirect();

    DO $$ BEGIN
      WHILE ${schema}.jobs_adopt_v1(10000) > 0 LOOP END LOOP;
    END $$;`
}
