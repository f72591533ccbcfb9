import { createJobs, type QueueOptions, type RunningJob } from '@tailwater/jobs'
import { createRedisBackend } from '@tailwater/jobs/redis'
import { createRedis } from '@tailwater/redis'
import type { TestRedis } from '@tailwater/redis/testing'
import { payload, perSecond } from '../payload.ts'
import { countdown, measureStoring } from '../storing.ts'
import { KEPT } from './redis_stage.ts'

let prefixes = 0

/** What a job of the benchmarks carries. */
export type BenchPayload = typeof payload & { sentAt?: number }

/** A queue of ours with keys of its own. */
export async function openOurQueue(server: TestRedis, limits: QueueOptions['limits'] = {}) {
  const redis = createRedis({ url: server.url, prefix: `bench-${++prefixes}` })
  await redis.start()

  /** An engine that runs jobs, or with a concurrency of 0 only stores them. */
  function engine(concurrency: number, run: (job: RunningJob<BenchPayload>) => Promise<unknown>) {
    const retention = { completed: { age: '7d', count: KEPT } as const }
    const jobs = createJobs({
      backend: createRedisBackend({ redis }),
      queues: { mail: { concurrency, limits, retention } },
    })
    return { jobs, kind: jobs.define<BenchPayload>({ kind: 'send', queue: 'mail', run }) }
  }

  const { jobs, kind } = engine(0, async () => {})
  // What holds for the queue holds before its first job comes.
  await jobs.start()
  await jobs.stop()

  /** @param keys how many keys the jobs carry in turn; 0 for none */
  async function fill(count: number, size = 500, keys = 0): Promise<void> {
    for (let done = 0; done < count; done += size) {
      const lot = Array.from({ length: Math.min(size, count - done) }, (_, at) => ({
        kind: 'send',
        payload,
        ...(keys > 0 && { options: { key: `tenant-${(done + at) % keys}` } }),
      }))
      await jobs.enqueueMany(lot)
    }
  }

  async function check(state: 'available' | 'running', wanted: number): Promise<void> {
    const counts = await jobs.counts('mail')
    if (counts[state] !== wanted) throw new Error(`ours has ${counts[state]} jobs ${state} instead of ${wanted}`)
  }

  return {
    redis,
    engine,
    kind,
    fill,
    close: () => redis.stop(),
    ...measureStoring({
      add: () => kind.enqueue(payload),
      async fill(count, size) {
        for (let done = 0; done < count; done += size)
          await kind.enqueueMany(Array.from({ length: Math.min(size, count - done) }, () => payload))
      },
      check: (count) => check('available', count),
    }),
    /** Jobs in a second, from a filled queue to the confirmation of the last one. */
    async process(count: number, concurrency: number, keys = 0): Promise<number> {
      await fill(count, 500, keys)
      const { over, down } = countdown(count)
      const worker = engine(concurrency, async () => down()).jobs
      // It is ready before the time begins, as the peer's is.
      await jobs.queue('mail').pause()
      await worker.start()
      const began = performance.now()
      await jobs.queue('mail').resume()
      await over
      while ((await jobs.counts('mail')).running > 0);
      const rate = perSecond(count, began)
      await worker.stop()
      await check('available', 0)
      return rate
    },
  }
}
