import { createJobs, PermanentError } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createRedisBackend } from '@tailwater/jobs/redis'

/** What fault tests use of the package. */
export interface JobsPackage {
  createJobs: typeof createJobs
  PermanentError: typeof PermanentError
  createPostgresBackend: typeof createPostgresBackend
  createRedisBackend: typeof createRedisBackend
}

/** The package as it is. */
export const thisVersion: JobsPackage = { createJobs, PermanentError, createPostgresBackend, createRedisBackend }

/** The package whose sources lie in a folder; without one as it is. */
export async function loadJobsPackage(source: string | undefined): Promise<JobsPackage> {
  if (source === undefined) return thisVersion
  const [all, postgres, redis] = await Promise.all(
    ['index.ts', 'backends/postgres/index.ts', 'backends/redis/index.ts'].map((file) => import(`${source}/${file}`)),
  )
  return { ...all, ...postgres, ...redis } as JobsPackage
}
