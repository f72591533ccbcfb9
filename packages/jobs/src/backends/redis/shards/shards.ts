import type { Redis } from '@tailwater/redis'
import { connectJobs } from '../connection.ts'
import { openShard, type Shard } from './shard.ts'

/**
 * Queues with a hash tag each, so that a cluster spreads them over its nodes.
 *
 * Which there are stands in one set under the tag of all, `prefix:{jobs}:shards`; a queue is written into it before anything is stored of it, and never taken out.
 */
export class Shards {
  readonly #redis: Redis
  readonly #replicas: number
  readonly #registry: string
  readonly #open = new Map<string, Shard>()
  readonly #known = new Set<string>()

  constructor(redis: Redis, replicas: number) {
    this.#redis = redis
    this.#replicas = replicas
    this.#registry = `${connectJobs(redis).root}:shards`
  }

  /** The shard of a queue that something is to be stored of. */
  async toWrite(queue: string): Promise<Shard> {
    if (!this.#known.has(queue)) {
      await this.#redis.command('SADD', this.#registry, queue)
      this.#known.add(queue)
    }
    return this.of(queue)
  }

  /** The shard of a queue, whether or not there is anything. */
  of(queue: string): Shard {
    let shard = this.#open.get(queue)
    if (!shard) {
      shard = openShard(this.#redis, `jobs.${queue}`, this.#replicas)
      this.#open.set(queue, shard)
    }
    return shard
  }

  /** Queues that anything was ever stored of, by any process. */
  async queues(): Promise<string[]> {
    return (await this.#redis.command<string[]>('SMEMBERS', this.#registry)).sort()
  }

  async all(): Promise<Shard[]> {
    return (await this.queues()).map((queue) => this.of(queue))
  }

  /** What the first shard that knows an answer says: ids do not tell in which queue a job is. */
  async first<T>(ask: (shard: Shard) => Promise<T>, isAnswer: (answer: T) => boolean): Promise<T | undefined> {
    const answers = await Promise.all((await this.all()).map(ask))
    return answers.find(isAnswer)
  }

  /** The same done in each until one has done it. */
  async anywhere(act: (shard: Shard) => Promise<boolean>): Promise<boolean> {
    return (await this.first(act, Boolean)) ?? false
  }
}
