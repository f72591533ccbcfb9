/**
 * Counts by state that cost nothing to read and are exact in every snapshot.
 *
 * Each statement that changes jobs leaves rows that say by how much, in the same transaction; a count is the sum of such rows. No two
 * statements write the same row, so that nobody waits for a counter; `jobs_sum_up_v1` keeps them few. Triggers, so that no statement can forget it, a person's own included.
 *
 * @param schema quoted
 */
export function tally(schema: string): string {
  const busy =
    'autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0'
  return `
    CREATE TABLE ${schema}.jobs_tally (
      queue text NOT NULL,
      state ${schema}.job_state NOT NULL,
      jobs bigint NOT NULL
    ) WITH (${busy});
    -- Attempts that ended, by the minute in which they did.
    CREATE TABLE ${schema}.jobs_minutes (
      queue text NOT NULL,
      minute timestamptz NOT NULL,
      completed bigint NOT NULL,
      failed bigint NOT NULL
    ) WITH (${busy});
    CREATE INDEX jobs_minutes_queue ON ${schema}.jobs_minutes (queue, minute);
${counters(schema)}
${triggers(schema, 'jobs_live')}
${triggers(schema, 'jobs_ended')}`
}

function counters(schema: string): string {
  return `
    CREATE FUNCTION ${schema}.jobs_count_new() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO ${schema}.jobs_tally (queue, state, jobs) SELECT queue, state, count(*) FROM new_jobs GROUP BY queue, state;
      RETURN NULL;
    END $$;
    CREATE FUNCTION ${schema}.jobs_count_old() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO ${schema}.jobs_tally (queue, state, jobs) SELECT queue, state, -count(*) FROM old_jobs GROUP BY queue, state;
      RETURN NULL;
    END $$;
    CREATE FUNCTION ${schema}.jobs_count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO ${schema}.jobs_tally (queue, state, jobs)
        SELECT queue, state, sum(jobs) FROM (
          SELECT queue, state, count(*) AS jobs FROM new_jobs GROUP BY queue, state
          UNION ALL SELECT queue, state, -count(*) FROM old_jobs GROUP BY queue, state
        ) AS change GROUP BY queue, state HAVING sum(jobs) <> 0;
      RETURN NULL;
    END $$;`
}

function triggers(schema: string, table: string): string {
  return `
    CREATE TRIGGER jobs_count_new AFTER INSERT ON ${schema}.${table} REFERENCING NEW TABLE AS new_jobs
      FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.jobs_count_new();
    CREATE TRIGGER jobs_count_old AFTER DELETE ON ${schema}.${table} REFERENCING OLD TABLE AS old_jobs
      FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.jobs_count_old();
    CREATE TRIGGER jobs_count_changed AFTER UPDATE ON ${schema}.${table} REFERENCING OLD TABLE AS old_jobs NEW TABLE AS new_jobs
      FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.jobs_count_changed();`
}
