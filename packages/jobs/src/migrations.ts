import type { MigrationModule } from '@tailwater/postgres'
import { jobsEngineMigration } from './backends/postgres/migrations/jobs_engine.ts'
import { jobsSweepsMigration } from './backends/postgres/migrations/jobs_sweeps.ts'
import { jobsUncompiledMigration } from './backends/postgres/migrations/jobs_uncompiled.ts'

/** The tables of the jobs engine. */
export const jobsMigrations: MigrationModule = {
  module: 'jobs',
  migrations: [
    {
      version: 1,
      name: 'jobs',
      up: (schema) => `
        CREATE TABLE ${schema}.jobs (
          id uuid PRIMARY KEY,
          kind text NOT NULL,
          payload jsonb NOT NULL,
          state text NOT NULL DEFAULT 'available' CHECK (state IN ('available', 'running', 'retryable', 'completed', 'dead')),
          attempt smallint NOT NULL DEFAULT 0,
          max_attempts smallint NOT NULL,
          -- When it may be claimed: at once, or after its backoff.
          run_at timestamptz NOT NULL,
          -- The worker that runs it, and until when it may be taken for alive.
          owner text,
          lease_until timestamptz,
          -- Of the request that enqueued it, so that one id runs through.
          request_id text,
          traceparent text,
          error text,
          created_at timestamptz NOT NULL,
          finished_at timestamptz
        );
        -- Claims: the oldest that is due, of any kind.
        CREATE INDEX jobs_due ON ${schema}.jobs (run_at) WHERE state IN ('available', 'retryable');
        -- Rescues: running jobs whose worker has gone.
        CREATE INDEX jobs_leased ON ${schema}.jobs (lease_until) WHERE state = 'running';
        -- Retention: finished jobs by age.
        CREATE INDEX jobs_finished ON ${schema}.jobs (finished_at) WHERE finished_at IS NOT NULL;`,
    },
    {
      version: 2,
      name: 'dead jobs',
      up: (schema) => `
        -- Dead jobs by age: counted once a second, among all the completed ones.
        CREATE INDEX jobs_dead ON ${schema}.jobs (finished_at) WHERE state = 'dead';`,
    },
    jobsEngineMigration,
    jobsSweepsMigration,
    jobsUncompiledMigration,
  ],
}
