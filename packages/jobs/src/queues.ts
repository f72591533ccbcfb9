import { optionsError } from '@tailwater/core'
import { jobsError } from './errors.ts'
import { type QueueDefaults, type QueueOptions, type ResolvedQueue, resolveQueue } from './queue_options.ts'

/** The queues of an engine as they stand now: what `createJobs` was told, and over it what was changed since. */
export class Queues {
  readonly #given: Readonly<Record<string, QueueOptions>>
  readonly #defaults: QueueDefaults
  readonly #now: Map<string, ResolvedQueue>

  /** @throws E_OPTIONS */
  constructor(given: Readonly<Record<string, QueueOptions>>, defaults: QueueDefaults) {
    this.#given = { default: {}, ...given }
    this.#defaults = defaults
    this.#now = new Map(
      Object.entries(this.#given).map(([name, options]) => [name, resolveQueue(name, options, defaults)]),
    )
  }

  get all(): readonly ResolvedQueue[] {
    return [...this.#now.values()]
  }

  /** @throws E_JOB_QUEUE_UNKNOWN */
  of(name: string): ResolvedQueue {
    const queue = this.#now.get(name)
    if (queue) return queue
    const known = [...this.#now.keys()].join(', ')
    throw jobsError('E_JOB_QUEUE_UNKNOWN', `there is no queue '${name}'; known queues: ${known}`, { queue: name })
  }

  /** Puts a change over what was given at first; one before it is forgotten. @throws E_JOB_QUEUE_UNKNOWN, E_OPTIONS */
  change(name: string, change: QueueOptions): ResolvedQueue {
    this.of(name)
    if (typeof change !== 'object' || change === null)
      throw optionsError(`jobs.configure('${name}')`, 'an object of options', change)
    const queue = resolveQueue(name, { ...this.#given[name], ...change }, this.#defaults, `jobs.configure('${name}')`)
    this.#now.set(name, queue)
    return queue
  }
}
