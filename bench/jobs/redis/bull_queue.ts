import type { TestRedis } from '@tailwater/redis/testing'
import { payload, perSecond } from '../payload.ts'
import { countdown, measureStoring } from '../storing.ts'
import { KEPT } from './redis_stage.ts'

/** What is used of BullMQ, which is installed with the benchmarks only. */
export interface BullMq {
  Queue: new (name: string, options: object) => Queue
  Worker: new (name: string, run: (job: { data: unknown }) => Promise<unknown>, options: object) => Worker
}

interface Queue {
  add(name: string, data: unknown): Promise<unknown>
  addBulk(jobs: { name: string; data: unknown }[]): Promise<unknown>
  getJobCounts(): Promise<Record<string, number>>
  waitUntilReady(): Promise<unknown>
  close(): Promise<void>
}

interface Worker extends NodeJS.EventEmitter {
  run(): Promise<void>
  waitUntilReady(): Promise<unknown>
  close(): Promise<void>
}

/** Loads BullMQ from the benchmarks' own packages. */
export async function loadBullMq(): Promise<BullMq> {
  const name: string = 'bullmq'
  return (await import(name)) as BullMq
}

let queues = 0

/** A queue of BullMQ with a name of its own. */
export async function openBullQueue({ Queue, Worker }: BullMq, server: TestRedis) {
  const connection = { host: server.host, port: server.port, maxRetriesPerRequest: null }
  const name = `bench-${++queues}`
  const keep = { removeOnComplete: { count: KEPT } }
  const queue = new Queue(name, { connection, defaultJobOptions: keep })
  await queue.waitUntilReady()

  async function fill(count: number, size = 500): Promise<void> {
    for (let done = 0; done < count; done += size)
      await queue.addBulk(Array.from({ length: Math.min(size, count - done) }, () => ({ name: 'send', data: payload })))
  }

  /** A worker that does not run yet. */
  async function worker(concurrency: number, run: (job: { data: unknown }) => Promise<unknown>): Promise<Worker> {
    const made = new Worker(name, run, { connection, concurrency, autorun: false, ...keep })
    await made.waitUntilReady()
    return made
  }

  return {
    fill,
    worker,
    add: (data: unknown) => queue.add('send', data),
    close: () => queue.close(),
    ...measureStoring({
      add: () => queue.add('send', payload),
      fill,
      check: async (count) => check((await queue.getJobCounts())['waiting'], count),
    }),
    /** Jobs in a second, from a filled queue to the confirmation of the last one. */
    async process(count: number, concurrency: number): Promise<number> {
      await fill(count)
      const made = await worker(concurrency, async () => {})
      const { over, down } = countdown(count)
      made.on('completed', () => down())
      const began = performance.now()
      void made.run()
      await over
      const rate = perSecond(count, began)
      await made.close()
      check((await queue.getJobCounts())['waiting'], 0)
      return rate
    },
  }
}

function check(found: number | undefined, wanted: number): void {
  if (found !== wanted) throw new Error(`BullMQ has ${found} jobs waiting instead of ${wanted}`)
}
