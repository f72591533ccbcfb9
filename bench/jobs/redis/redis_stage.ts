import type { TestRedis } from '@tailwater/redis/testing'
import type { BenchOptions } from '../../harness/bench.ts'
import type { BullMq } from './bull_queue.ts'

/** What is up while jobs on Redis are measured. */
export interface RedisStage {
  server: TestRedis
  bull: BullMq
  options: BenchOptions
}

/** Completed jobs that both sides keep. */
export const KEPT = 1_000

/** What result files say of both sides. */
export const SETTINGS = {
  ours: `createJobs on createRedisBackend, completed ones kept: ${KEPT}, no prefetch; Redis with appendfsync everysec`,
  theirs: `BullMQ Queue and Worker, removeOnComplete { count: ${KEPT} }, locks and stalled check as they are by default; the same Redis`,
}

/** Shortens a number of jobs for trying things out. */
export const sized = (stage: RedisStage, count: number) => (stage.options.quick ? Math.ceil(count / 10) : count)

/** One round on a queue of its own. Whatever happens it is closed, so that a failure ends the run instead of leaving clients that look for the server for ever. */
export async function onQueue<Q extends { close(): Promise<void> }, T>(
  { server }: RedisStage,
  open: () => Promise<Q>,
  measure: (queue: Q) => Promise<T>,
): Promise<T> {
  const queue = await open()
  try {
    return await measure(queue)
  } finally {
    await queue.close()
    await server.ask('FLUSHALL')
  }
}
