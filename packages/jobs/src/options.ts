import {
  type Clock,
  type Duration,
  duration,
  type Fields,
  integer,
  type Keyring,
  optional,
  optionsError,
  resolveOptions,
  type Size,
  size,
  systemClock,
  text,
  value,
} from '@tailwater/core'
import type { Database } from '@tailwater/postgres'
import type { JobsBackend } from './backend.ts'
import { createMemoryBackend } from './backends/memory/memory_backend.ts'
import { createPostgresBackend } from './backends/postgres/postgres_backend.ts'
import { NAME } from './kind.ts'
import type { QueueOptions } from './queue_options.ts'
import { Queues } from './queues.ts'

/** How the engine is built. */
export interface JobsOptions {
  /** Where jobs are kept: that of `@tailwater/jobs/postgres` or `@tailwater/jobs/redis`, or `createMemoryBackend()`. @default by `database`; memory without one */
  backend?: JobsBackend
  /** Keeps jobs in PostgreSQL: short for a `backend` of `createPostgresBackend({ database, schema })`. */
  database?: Database
  /** Schema to which `jobsMigrations` were applied, with `database`. @default 'tailwater' */
  schema?: string
  /** The queues of the application, by name; `default` is always there. */
  queues?: Record<string, QueueOptions>
  /** Handlers running at once in this process, for each queue that says nothing of it. @default 10 */
  concurrency?: number
  /** Attempts of a job before it is dead. @default 5 */
  attempts?: number
  /** Longest time between two looks at the store when nothing wakes the worker. @default '5s' */
  pollInterval?: Duration
  /** After this time without a sign of life a worker is taken for dead, and its jobs run elsewhere. @default '20s' */
  lease?: Duration
  /** Largest payload or result, as JSON. @default '256kb' */
  maxPayload?: Size
  /** Keys for kinds that are `encrypted`. */
  keyring?: Keyring
  /** Encrypts payloads and results of every kind that does not say otherwise; needs a `keyring`. @default false */
  encrypt?: boolean
  /** Names (`email`) and paths (`customer.name`, `*` for any step) whose values are not shown, besides passwords, tokens and the like. */
  redact?: readonly string[]
  /** Threads for handlers in threads, at most. @default that of piscina, one and a half for each processor */
  threads?: number
  /** @default systemClock */
  clock?: Clock
  /** Names this worker in the store. @default the process identity and a number */
  owner?: string
}

const isFunction = (given: unknown) => typeof given === 'function'

const fields = {
  backend: optional(value<JobsBackend>('a JobsBackend', (given) => isFunction((given as JobsBackend)?.work?.turn))),
  database: optional(value<Database>('a Database', (given) => isFunction((given as Database)?.transaction))),
  schema: optional(text()),
  queues: value<Record<string, QueueOptions>>(
    'an object of queues',
    (given) => typeof given === 'object' && given !== null,
    {
      default: {},
    },
  ),
  concurrency: integer({ min: 0, max: 10_000, default: 10 }),
  attempts: integer({ min: 1, max: 1_000, default: 5 }),
  pollInterval: duration({ min: 10, max: 3_600_000, default: '5s' }),
  lease: duration({ min: 1_000, max: 3_600_000, default: '20s' }),
  maxPayload: size({ default: '256kb' }),
  keyring: optional(value<Keyring>('a Keyring', (given) => isFunction((given as Keyring)?.keys))),
  encrypt: value<boolean>('true or false', (given) => typeof given === 'boolean', { default: false }),
  redact: value<readonly string[]>('an array of names', Array.isArray, { default: [] }),
  threads: optional(integer({ min: 1, max: 256 })),
  clock: value<Clock>('a Clock', (given) => isFunction((given as Clock)?.after), { default: systemClock }),
  owner: optional(text()),
} satisfies Fields

/** Options with every default filled in; durations in milliseconds. */
export interface ResolvedJobsOptions
  extends Omit<ReturnType<typeof readFields>, 'queues' | 'backend' | 'database' | 'schema'> {
  backend: JobsBackend
  queues: Queues
}

const readFields = (given: unknown) => resolveOptions('createJobs', given, fields)

/** @throws E_OPTIONS */
export function resolveJobsOptions(given: JobsOptions): ResolvedJobsOptions {
  const { queues, backend, database, schema, ...options } = readFields(given)
  if (backend && database) throw optionsError('createJobs.database', 'left out, because there is a backend', database)
  if (options.encrypt && !options.keyring) throw optionsError('createJobs.keyring', 'given to encrypt with', undefined)
  for (const name of Object.keys(queues))
    if (!NAME.test(name)) throw optionsError('createJobs.queues', 'named by lower-case words joined by hyphens', name)
  return {
    ...options,
    backend: backend ?? backendOf(options.clock, database, schema),
    queues: new Queues(queues, options),
  }
}

function backendOf(clock: Clock, database: Database | undefined, schema: string | undefined): JobsBackend {
  if (!database) return createMemoryBackend({ clock })
  return createPostgresBackend({ database, clock, ...(schema !== undefined && { schema }) })
}
