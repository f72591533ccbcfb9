import { PLANS } from './ending.ts'

/** What stands for a queue that nobody has configured: `standardRetention`, in milliseconds. */
const STANDARD = `'{ "completed": { "age": 604800000 }, "cancelled": { "age": 604800000 }, "dead": { "age": 2592000000 } }'::json`

/**
 * Sweeps that tell what they have buried, and that bound the queues nobody has configured.
 *
 * @param schema quoted
 */
export function sweeping(schema: string): string {
  return `${spans(schema)}
${retire(schema)}
${mend(schema)}`
}

function spans(schema: string): string {
  return `
    -- How long jobs waited (or ran): jobs by slot of five minutes and bucket (histogram.ts).
    CREATE TABLE ${schema}.jobs_spans (
      queue text NOT NULL,
      slot timestamptz NOT NULL,
      of_runs boolean NOT NULL,
      bucket smallint NOT NULL,
      jobs bigint NOT NULL,
      CONSTRAINT jobs_spans_pkey PRIMARY KEY (queue, slot, of_runs, bucket)
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);`
}

/** Children stay while their parent may ask for their results. */
function retire(schema: string): string {
  return `
    -- Deletes what has been kept for long enough, \`bite\` jobs of each queue and state at most. Returns how many.
    CREATE FUNCTION ${schema}.jobs_retire_v2(bite integer) RETURNS integer LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz := ${schema}.now();
      rule record;
      gone uuid[];
      total integer := 0;
    BEGIN
      -- jobs_queues_pkey; the tally is small.
      FOR rule IN
        SELECT kept.queue, kept.state, kept.jobs, (kept.said->>'age')::float8 AS age, (kept.said->>'count')::bigint AS count FROM (
          SELECT t.queue, t.state, t.jobs,
            coalesce((SELECT q.retention FROM ${schema}.jobs_queues AS q WHERE q.name = t.queue), ${STANDARD})->t.state::text AS said
          FROM (SELECT queue, state, sum(jobs) AS jobs FROM ${schema}.jobs_tally WHERE state IN ('completed', 'cancelled', 'dead')
            GROUP BY queue, state HAVING sum(jobs) > 0) AS t
        ) AS kept
      LOOP
        -- jobs_ended_age, jobs_live_pkey
        gone := ARRAY(SELECT id FROM (
          SELECT id, finished_at, row_number() OVER (ORDER BY finished_at) AS place FROM ${schema}.jobs_ended AS old
          WHERE queue = rule.queue AND state = rule.state
            AND (SELECT true FROM ${schema}.jobs_live AS parent WHERE parent.id = old.parent_id) IS NULL
          ORDER BY finished_at LIMIT bite
        ) AS oldest WHERE finished_at < moment - rule.age * interval '1 millisecond' OR place <= rule.jobs - rule.count);
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
    -- Makes due and rescues what no worker's turn would see, and forgets what has no meaning any more. Gives the queues in which jobs became available, and the jobs
    -- that were buried.
    CREATE FUNCTION ${schema}.jobs_mend_v2(OUT woken text[], OUT buried uuid[]) LANGUAGE plpgsql ${PLANS} AS $$
    BEGIN
      -- jobs_live_running
      woken := ARRAY(SELECT DISTINCT queue FROM ${schema}.jobs_live WHERE state = 'running'
        AND worker IN (SELECT id FROM ${schema}.jobs_workers WHERE expires_at < ${schema}.now()));
      buried := ${schema}.jobs_rescue_v1(NULL, ${schema}.now());
      woken := woken || ${schema}.jobs_mend_v1();
      -- Few: 600 of a queue and slot at most.
      DELETE FROM ${schema}.jobs_spans WHERE slot < ${schema}.now() - interval '70 minutes';
    END $$;`
}
