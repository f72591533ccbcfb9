import {
  type Duration,
  duration,
  type Fields,
  integer,
  type JobContext,
  optional,
  optionsError,
  resolveOptions,
  show,
  text,
  value,
} from '@tailwater/core'
import { jobsError } from './errors.ts'
import { areLabels, LABELS } from './label.ts'
import { type Codec, createCodec } from './payload/codec.ts'
import type { Encryption } from './payload/encryption.ts'
import { isStandardSchema, type StandardSchema } from './payload/standard_schema.ts'
import { type Priority, priorityOf } from './priority.ts'
import { type Backoff, resolveBackoff, type Waiting } from './run/backoff.ts'
import type { RunningJob } from './run/running_job.ts'
import { timeLimit } from './time_limit.ts'
import { resolveUnique, type Unique } from './unique.ts'

/** What every definition of a kind may say. */
interface KindSettings<Payload, Input> {
  /** Lower-case words joined by hyphens; stable, because stored jobs carry it. */
  kind: string
  /** @default 'default' */
  queue?: string
  /** Checks what is enqueued, and what a handler gets: what the schema makes of it. Any Standard Schema: zod, valibot, ArkType … */
  schema?: StandardSchema<Input, Payload>
  /** Attempts until a job is dead. @default that of the queue */
  attempts?: number
  /** @default that of the queue */
  backoff?: Backoff
  /** Longest time of one attempt; after it the signal aborts, and the attempt has failed. @default that of the queue */
  timeout?: Duration
  /** @default 'normal' */
  priority?: Priority
  /** What jobs share limits and turns by, and are erased by: a tenant, a customer. */
  key?: (payload: Input) => string | undefined
  /** Which jobs are duplicates. @default none */
  unique?: Unique
  tags?: readonly string[]
  /** Encrypts payloads and results; needs the engine's `keyring`. @default that of the engine (`encrypt`), false */
  encrypted?: boolean
  /** Names and paths in payloads and results that are not shown, besides those of the engine. */
  redact?: readonly string[]
}

/** A kind whose jobs run one by one. */
export interface SingleKind<Payload, Input = Payload, Result = unknown> extends KindSettings<Payload, Input> {
  /** Runs one job. What it returns is the job's result, JSON data; what it throws is its failure. */
  run(job: RunningJob<Payload>): Promise<Result> | Result
}

/** A kind whose jobs run many at once. */
export interface BatchKind<Payload, Input = Payload, Result = unknown> extends KindSettings<Payload, Input> {
  /**
   * Runs jobs that were claimed together. Returns their results in the same order, an `Error` in the place of one that failed; nothing when all
   * completed. What it throws is the failure of all.
   */
  runBatch(jobs: readonly RunningJob<Payload>[]): Promise<readonly (Result | Error)[] | void>
  batch?: {
    /** Jobs of one call at most; the queue's concurrency must be no less. @default 100 */
    size?: number
    /** How long claimed jobs are held for others to join them. @default 0 */
    wait?: Duration
  }
}

/** A kind whose jobs run in worker threads, for work that keeps a processor busy. Needs the package `piscina`. */
export interface ThreadKind<Payload, Input = Payload> extends KindSettings<Payload, Input> {
  /** A module whose default export is a handler: `new URL('./resize.js', import.meta.url)`. See `ThreadJob` for what it is given. */
  thread: URL
}

/** How a kind of job is run. */
export type KindDefinition<Payload, Input = Payload, Result = unknown> =
  | SingleKind<Payload, Input, Result>
  | BatchKind<Payload, Input, Result>
  | ThreadKind<Payload, Input>

/** How the jobs of a kind run, once its definition is read. */
export type Handler =
  | { type: 'single'; run(job: JobContext<never>): unknown }
  | { type: 'batch'; run(jobs: readonly never[]): unknown; size: number; wait: number }
  | { type: 'thread'; module: URL }

/** What a kind takes over from its queue where it says nothing itself. */
export interface KindPolicy {
  attempts: number
  waiting: Waiting
  /** Milliseconds. */
  timeout: number | undefined
}

/** A kind with every default filled in. Durations in milliseconds. */
export interface ResolvedKind extends KindPolicy {
  kind: string
  queue: string
  handler: Handler
  codec: Codec
  /** What the definition says itself, whatever becomes of its queue. */
  own: { [Name in keyof KindPolicy]: KindPolicy[Name] | undefined }
  priority: number
  key: ((payload: never) => string | undefined) | undefined
  unique: Unique | undefined
  tags: readonly string[] | undefined
  isEncrypted: boolean
  redact: readonly string[]
}

/** What the engine adds to a definition. */
export interface KindDefaults {
  maxPayload: number
  encryption: Encryption | undefined
  /** Whether kinds that say nothing of it are encrypted. */
  encrypt: boolean
  /** @throws E_JOB_QUEUE_UNKNOWN */
  policyOf(queue: string): KindPolicy
}

/** What a kind, a queue or a schedule may be called. */
export const NAME = /^[a-z][a-z0-9-]{0,99}$/

/**
 * What a queue in the store may be called: messaging's have a subscription's name and a level, or a request's topic, in theirs. No braces, which part the keys of
 * a Redis Cluster.
 */
const STORED_QUEUE = /^[^\s{}\p{Cc}]{1,300}$/u

/** The name of a queue in options. */
export const queueName = optional(text({ pattern: STORED_QUEUE, expected: 'the name of a queue' }))

/** The name of a queue that may be of another process. @throws E_OPTIONS */
export function checkedQueue(path: string, name: unknown): string {
  if (typeof name === 'string' && STORED_QUEUE.test(name)) return name
  throw optionsError(path, 'the name of a queue', name)
}

const isFunction = (given: unknown) => typeof given === 'function'
const isNames = (given: unknown) =>
  Array.isArray(given) && given.every((name) => typeof name === 'string' && name !== '')

const fields = {
  kind: text(),
  queue: text({ default: 'default' }),
  schema: optional(value<StandardSchema>('a Standard Schema', isStandardSchema)),
  attempts: optional(integer({ min: 1, max: 1_000 })),
  backoff: optional(value<Backoff>('a backoff', () => true)),
  timeout: timeLimit,
  priority: optional(value<Priority>('a priority', () => true)),
  key: optional(value<(payload: never) => string>('a function', isFunction)),
  unique: optional(value<Unique>('how jobs are unique', () => true)),
  tags: optional(value<readonly string[]>(LABELS, areLabels)),
  encrypted: optional(value<boolean>('true or false', (given) => typeof given === 'boolean')),
  redact: optional(value<readonly string[]>('an array of names', isNames)),
  run: optional(value<() => unknown>('a function', isFunction)),
  runBatch: optional(value<() => unknown>('a function', isFunction)),
  batch: optional(value<NonNullable<BatchKind<unknown>['batch']>>('an object', (given) => typeof given === 'object')),
  thread: optional(value<URL>('a URL of a module', (given) => given instanceof URL)),
} satisfies Fields

/** Reads a definition. @throws E_JOB_KIND, E_JOB_QUEUE_UNKNOWN, E_OPTIONS */
export function resolveKind(given: unknown, defaults: KindDefaults): ResolvedKind {
  const name = (given as { kind?: unknown } | undefined)?.kind
  if (typeof name !== 'string' || !NAME.test(name))
    throw jobsError('E_JOB_KIND', `a job's kind must be lower-case words joined by hyphens, got ${show(name)}`)
  const path = `jobs.define('${name}')`
  const said = resolveOptions(path, given, fields)
  const policy = defaults.policyOf(said.queue)
  const encryption = (said.encrypted ?? defaults.encrypt) ? needEncryption(defaults, path) : undefined
  const own = {
    attempts: said.attempts,
    waiting: said.backoff && resolveBackoff(said.backoff, `${path}.backoff`),
    timeout: said.timeout,
  }
  return {
    kind: name,
    queue: said.queue,
    handler: handlerOf(said, path),
    codec: createCodec({
      kind: name,
      schema: said.schema,
      encryption,
      decryption: defaults.encryption,
      maxSize: defaults.maxPayload,
    }),
    own,
    ...policyFor(own, policy),
    priority: priorityOf(said.priority ?? 'normal', `${path}.priority`),
    key: said.key,
    unique: said.unique && resolveUnique(said.unique, `${path}.unique`),
    tags: said.tags,
    isEncrypted: encryption !== undefined,
    redact: said.redact ?? [],
  }
}

function policyFor(own: ResolvedKind['own'], policy: KindPolicy): KindPolicy {
  return {
    attempts: own.attempts ?? policy.attempts,
    waiting: own.waiting ?? policy.waiting,
    timeout: own.timeout ?? policy.timeout,
  }
}

/** Takes over what its queue says now, for jobs that are enqueued and attempts that fail from here on. */
export function followQueue(kind: ResolvedKind, policy: KindPolicy): void {
  Object.assign(kind, policyFor(kind.own, policy))
}

/** A kind that this process knows by name only: its jobs can be stored, and nothing else. @throws E_JOB_KIND */
export function foreignKind(kind: string, defaults: KindDefaults): ResolvedKind {
  return resolveKind({ kind, run: () => {} }, defaults)
}

function needEncryption({ encryption }: KindDefaults, path: string): Encryption {
  if (encryption) return encryption
  throw optionsError(`${path}.encrypted`, 'false, or createJobs be given a keyring', true)
}

type Said = ReturnType<typeof resolveOptions<typeof fields>>

function handlerOf({ kind, run, runBatch, thread, batch }: Said, path: string): Handler {
  const given = [run, runBatch, thread].filter((one) => one !== undefined)
  if (given.length !== 1 || (batch && !runBatch))
    throw jobsError('E_JOB_KIND', `jobs of kind '${kind}' need one of run, runBatch and thread, got ${given.length}`)
  if (run) return { type: 'single', run }
  if (thread) return { type: 'thread', module: thread }
  const { size, wait } = resolveOptions(`${path}.batch`, batch, {
    size: integer({ min: 2, max: 500, default: 100 }),
    wait: duration({ max: 10_000, default: 0 }),
  })
  return { type: 'batch', run: runBatch!, size, wait }
}
