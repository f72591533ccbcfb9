/**
 * The tables. Two hold jobs: `jobs_live` what has not ended, `jobs_ended` what has. A queue's life is in the first, which stays as small as its
 * backlog however many jobs have ended; vacuuming it never has to read the indexes of millions of ended ones. See
 * docs/decisions/0016-jobs-on-postgresql.md.
 *
 * Written out here and shared with nothing: an applied migration must read the same for ever.
 *
 * @param schema quoted
 */
export function tables(schema: string): string {
  return `
    CREATE TYPE ${schema}.job_state AS ENUM
      ('pending', 'scheduled', 'available', 'running', 'retryable', 'completed', 'cancelled', 'dead');
${live(schema)}
${ended(schema)}
${beside(schema)}`
}

/** Each row is written two or three times and deleted within seconds: vacuumed by count, not by share, and without pauses. */
function live(schema: string): string {
  return `
    CREATE SEQUENCE ${schema}.jobs_places;
    CREATE TABLE ${schema}.jobs_live (
      id uuid NOT NULL,
      -- Breaks ties among jobs that became available at one moment.
      seq bigint NOT NULL DEFAULT nextval('${schema}.jobs_places'),
      -- When it became available; a thousand years earlier for what was rescued or given back, so that it stands first in its priority.
      ready_at timestamptz NOT NULL,
      run_at timestamptz NOT NULL,
      enqueued_at timestamptz NOT NULL,
      started_at timestamptz,
      -- Milliseconds.
      timeout bigint,
      state ${schema}.job_state NOT NULL,
      priority smallint NOT NULL,
      attempt smallint NOT NULL DEFAULT 0,
      max_attempts smallint NOT NULL,
      crashes smallint NOT NULL DEFAULT 0,
      -- Somebody asked to cancel it while it runs.
      cancelling boolean NOT NULL DEFAULT false,
      has_children boolean NOT NULL DEFAULT false,
      -- Whether a child that ends dead or cancelled makes it dead.
      fails_with_child boolean NOT NULL DEFAULT true,
      parent_id uuid,
      queue text NOT NULL,
      kind text NOT NULL,
      key text,
      -- In jobs_unique.
      unique_key text,
      -- Who runs it.
      worker text,
      request_id text,
      traceparent text,
      tags text[],
      progress text,
      error text,
      -- Text: nothing here needs to look into it, and jsonb would cost a parse each way and lose its spelling.
      payload text NOT NULL,
      CONSTRAINT jobs_live_pkey PRIMARY KEY (id)
    ) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
            autovacuum_analyze_scale_factor = 0.1, autovacuum_analyze_threshold = 10000);
    -- Claims.
    CREATE INDEX jobs_live_ready ON ${schema}.jobs_live (queue, priority, ready_at, seq) WHERE state = 'available';
    -- Claims by key: from one key to the next without reading what lies between. The queue is written as it is so that no statement gets this index for the other,
    -- or the other for this one, as long as both are empty and seem equally good.
    CREATE INDEX jobs_live_lanes ON ${schema}.jobs_live ((queue || ''), priority, coalesce(key, ''), ready_at, seq) WHERE state = 'available';
    -- What becomes available by itself.
    CREATE INDEX jobs_live_due ON ${schema}.jobs_live (queue, run_at) WHERE state IN ('scheduled', 'retryable');
    -- A worker's jobs, and how many run.
    CREATE INDEX jobs_live_running ON ${schema}.jobs_live (worker) WHERE state = 'running';
    CREATE INDEX jobs_live_cancelling ON ${schema}.jobs_live (worker) WHERE cancelling;
    CREATE INDEX jobs_live_key ON ${schema}.jobs_live (key, id) WHERE key IS NOT NULL;
    CREATE INDEX jobs_live_children ON ${schema}.jobs_live (parent_id) WHERE parent_id IS NOT NULL;`
}

/** Rows come in the order in which jobs end, and go by age. */
function ended(schema: string): string {
  return `
    CREATE TABLE ${schema}.jobs_ended (
      id uuid NOT NULL,
      run_at timestamptz NOT NULL,
      enqueued_at timestamptz NOT NULL,
      started_at timestamptz,
      finished_at timestamptz NOT NULL,
      timeout bigint,
      state ${schema}.job_state NOT NULL CHECK (state IN ('completed', 'cancelled', 'dead')),
      priority smallint NOT NULL,
      attempt smallint NOT NULL,
      max_attempts smallint NOT NULL,
      crashes smallint NOT NULL,
      has_children boolean NOT NULL,
      fails_with_child boolean NOT NULL,
      parent_id uuid,
      queue text NOT NULL,
      kind text NOT NULL,
      key text,
      unique_key text,
      request_id text,
      traceparent text,
      tags text[],
      progress text,
      result text,
      error text,
      payload text NOT NULL,
      CONSTRAINT jobs_ended_pkey PRIMARY KEY (id)
    ) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);
    -- Retention.
    CREATE INDEX jobs_ended_age ON ${schema}.jobs_ended (queue, state, finished_at);
    -- The few that people look for among all that went well.
    CREATE INDEX jobs_ended_failed ON ${schema}.jobs_ended (id) WHERE state <> 'completed';
    CREATE INDEX jobs_ended_key ON ${schema}.jobs_ended (key, id) WHERE key IS NOT NULL;
    CREATE INDEX jobs_ended_children ON ${schema}.jobs_ended (parent_id) WHERE parent_id IS NOT NULL;`
}

/** What stands beside the jobs: small tables, but for the lines of logs. */
function beside(schema: string): string {
  const busy =
    'autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0'
  return `
    -- Who claims. Taken for dead once expires_at has come.
    CREATE TABLE ${schema}.jobs_workers (
      id text PRIMARY KEY,
      expires_at timestamptz NOT NULL
    ) WITH (fillfactor = 50, ${busy});

    -- What queues are held to. The row of a queue with limits is locked by each claim from it.
    CREATE TABLE ${schema}.jobs_queues (
      name text PRIMARY KEY,
      paused boolean NOT NULL DEFAULT false,
      concurrency integer,
      rate_count integer,
      -- Milliseconds.
      rate_per float8,
      key_concurrency integer,
      key_rate_count integer,
      key_rate_per float8,
      fair boolean NOT NULL DEFAULT false,
      limited boolean GENERATED ALWAYS AS
        (fair OR coalesce(concurrency, rate_count, key_concurrency, key_rate_count) IS NOT NULL) STORED,
      -- { "completed": { "age", "count" }, "cancelled": …, "dead": … }; NULL keeps everything.
      retention json,
      -- Completed jobs are not even stored, but as children.
      keeps_nothing boolean GENERATED ALWAYS AS (coalesce((retention->'completed'->>'count')::integer = 0, false)) STORED,
      -- When the next start would be due if all were as far apart as the rate says (GCRA's theoretical arrival time).
      next_start timestamptz
    ) WITH (fillfactor = 50, ${busy});

    -- The same moment for each key that has started something lately.
    CREATE TABLE ${schema}.jobs_key_rates (
      queue text NOT NULL,
      key text NOT NULL,
      next_start timestamptz NOT NULL,
      PRIMARY KEY (queue, key)
    ) WITH (fillfactor = 70, ${busy});
    CREATE INDEX jobs_key_rates_next ON ${schema}.jobs_key_rates (queue, next_start);

    -- Whose turn was last, in a queue where keys take turns.
    CREATE TABLE ${schema}.jobs_turns (
      queue text NOT NULL,
      priority smallint NOT NULL,
      key text NOT NULL,
      PRIMARY KEY (queue, priority)
    ) WITH (fillfactor = 50, ${busy});

    -- Unique keys and the jobs that stand for them; until the job has ended where expires_at is NULL.
    CREATE TABLE ${schema}.jobs_unique (
      key text PRIMARY KEY,
      job_id uuid NOT NULL,
      expires_at timestamptz
    ) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
    CREATE INDEX jobs_unique_expiry ON ${schema}.jobs_unique (expires_at) WHERE expires_at IS NOT NULL;

    CREATE TABLE ${schema}.jobs_logs (
      job_id uuid NOT NULL,
      id bigint GENERATED ALWAYS AS IDENTITY,
      line text NOT NULL,
      PRIMARY KEY (job_id, id)
    );

    CREATE TABLE ${schema}.jobs_schedules (
      name text PRIMARY KEY,
      definition text NOT NULL,
      next_at timestamptz,
      last_at timestamptz,
      paused boolean NOT NULL DEFAULT false
    );
    CREATE INDEX jobs_schedules_due ON ${schema}.jobs_schedules (next_at) WHERE NOT paused;`
}
