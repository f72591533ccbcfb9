import { type Clock, optionsError, type Service, TailwaterError } from '@tailwater/core'
import { createJobs, type Jobs, type JobsBackend, type Queue } from '@tailwater/jobs'
import { createRedisBackend } from '@tailwater/jobs/redis'
import { createRedis } from '@tailwater/redis'
import { type ResolvedConfig, resolveConfig, type TailwaterConfig } from '../../config.ts'
import { openGround, type Progress } from '../../platform/ground.ts'
import { openJobsBackend } from '../../platform/jobs.ts'
import { keyringOf } from '../../platform/secrets.ts'
import type { ChangeLedger } from '../change_record.ts'
import { type Opened, started } from '../command_family.ts'
import { saidAgain } from '../said_word.ts'
import type { Terminal } from '../terminal.ts'

/** What the commands of jobs work with. */
export interface JobsTools {
  /** Not started: it runs nothing, and makes no kind known. */
  jobs: Jobs
  /** Of the configuration. */
  redisUrl: string | undefined
  clock: Clock
  /** Tells a person how far a long command is. */
  progress: Progress
}

/** Opens the store of a configuration. */
export async function openJobsTools(given: TailwaterConfig, { complain }: Terminal): Promise<Opened<JobsTools>> {
  const config = resolveConfig(given)
  const { backend, below, ledger } = await openStore(config, complain)
  const close = await started([...below, backend])
  const { clock, redisUrl } = config
  const { redact, encrypt } = config.jobs
  const keyring = encrypt ? keyringOf(config) : undefined
  const jobs = createJobs({ backend, redact, encrypt, clock, concurrency: 0, ...(keyring && { keyring }) })
  return { tools: { jobs, redisUrl, clock, progress: complain }, ledger, close }
}

/** With jobs in Redis the database is left alone. */
async function openStore(
  config: ResolvedConfig,
  progress: Progress,
): Promise<{ backend: JobsBackend; below: readonly Service[]; ledger: ChangeLedger | undefined }> {
  if (config.jobs.store === 'memory')
    throw optionsError(
      'config.jobs.store',
      "'postgres' or 'redis': what is in the memory of a process no other can see",
      'memory',
    )
  if (config.jobs.store === 'redis') {
    const redis = createRedis({ url: config.redisUrl!, name: config.name, clock: config.clock })
    return { backend: createRedisBackend({ redis }), below: [redis], ledger: undefined }
  }
  const ground = await openGround(config, progress)
  const below = [...(ground.embedded ? [ground.embedded] : []), ground.database]
  return { backend: openJobsBackend(config, ground), below, ledger: ground }
}

/** @throws E_JOB_QUEUE_UNKNOWN */
export async function existingQueue({ jobs }: JobsTools, name: string): Promise<Queue> {
  const known = await jobs.inspect.queues()
  if (known.includes(name)) return jobs.queue(name)
  throw new TailwaterError(
    'E_JOB_QUEUE_UNKNOWN',
    `there is no queue '${saidAgain(name)}'; those there are: ${known.join(', ') || 'none'}`,
    { queue: name },
  )
}
