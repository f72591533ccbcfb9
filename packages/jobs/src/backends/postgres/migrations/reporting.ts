import { FIRST, PLANS } from './ending.ts'

/**
 * What workers say while they run, and when they leave.
 *
 * @param schema quoted
 */
export function reporting(schema: string): string {
  return `
    -- Progress, and lines of logs, of jobs that the worker owns. The newest 1,000 lines of a job are kept.
    CREATE FUNCTION ${schema}.jobs_report_v1(me text, ids uuid[], progresses text[], line_ids uuid[], lines text[]) RETURNS void
    LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      said jsonb := jsonb_object(ids::text[], progresses);
    BEGIN
      IF progresses IS NOT NULL THEN
        -- jobs_live_pkey
        UPDATE ${schema}.jobs_live SET progress = said->>id::text
        WHERE id = ANY (ids) AND said->>id::text IS NOT NULL AND CASE WHEN state = 'running' THEN worker = me END;
      END IF;
      IF line_ids IS NOT NULL THEN
        -- jobs_live_pkey
        INSERT INTO ${schema}.jobs_logs (job_id, line)
          SELECT said.id, said.line FROM unnest(line_ids, lines) WITH ORDINALITY AS said (id, line, place)
          WHERE (SELECT CASE WHEN job.state = 'running' THEN job.worker = me END FROM ${schema}.jobs_live AS job WHERE job.id = said.id)
          ORDER BY said.place;
        -- jobs_logs_pkey
        DELETE FROM ${schema}.jobs_logs AS old USING (SELECT DISTINCT said.id FROM unnest(line_ids) AS said (id)) AS told
        WHERE old.job_id = told.id AND old.id <=
          (SELECT newer.id FROM ${schema}.jobs_logs AS newer WHERE newer.job_id = told.id ORDER BY newer.id DESC OFFSET 1000 LIMIT 1);
      END IF;
    END $$;

    -- Gives back what a worker still owns, the attempts not counted, and forgets it. Returns the queues.
    CREATE FUNCTION ${schema}.jobs_leave_v1(me text) RETURNS text[] LANGUAGE plpgsql ${PLANS} AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz := ${schema}.now();
      stopped uuid[];
      queues text[];
    BEGIN
      -- jobs_live_cancelling
      stopped := ARRAY(SELECT id FROM ${schema}.jobs_live WHERE cancelling AND worker = me FOR UPDATE);
      -- jobs_live_running
      WITH back AS (
        UPDATE ${schema}.jobs_live SET state = CASE WHEN cancelling THEN state ELSE 'available' END, worker = NULL, attempt = attempt - 1,
          ready_at = moment - ${FIRST}
        WHERE state = 'running' AND worker = me RETURNING queue
      ) SELECT array_agg(DISTINCT queue) INTO queues FROM back;
      IF cardinality(stopped) > 0 THEN
        PERFORM ${schema}.jobs_finish_v1(stopped, 'cancelled', 0, moment);
      END IF;
      -- jobs_workers_pkey
      DELETE FROM ${schema}.jobs_workers WHERE id = me;
      RETURN queues;
    END $$;`
}
