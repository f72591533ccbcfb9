import assert from 'node:assert/strict'
import type { Job, JobState } from '../job.ts'
import type { Jobs } from '../jobs.ts'

/** Which jobs a test expects. */
export interface ExpectedJob {
  kind: string
  /** What the payload has among others; compared deeply. */
  payload?: unknown
  queue?: string
  key?: string
  tag?: string
  states?: readonly JobState[]
  /** How many. @default at least one */
  count?: number
}

/**
 * Asserts that jobs were enqueued, and gives them, newest first, their payloads read.
 *
 * Payloads of encrypted kinds cannot be compared.
 *
 * @throws AssertionError that shows what was enqueued of the kind instead
 * @example
 * await checkout(cart)
 * await assertEnqueued(jobs, { kind: 'receipt', payload: { orderId: 7 }, count: 1 })
 */
export async function assertEnqueued(
  jobs: Jobs,
  expected: ExpectedJob,
): Promise<(Omit<Job, 'payload'> & { payload: unknown })[]> {
  const { payload, count, ...filter } = expected
  const found: (Omit<Job, 'payload'> & { payload: unknown })[] = []
  for await (const line of jobs.inspect.export(filter, { raw: true })) {
    const job = JSON.parse(line) as Job
    found.push({ ...job, payload: JSON.parse(job.payload) as unknown })
  }
  const fitting = payload === undefined ? found : found.filter((job) => has(job.payload, payload))
  if (count === undefined ? fitting.length > 0 : fitting.length === count) return fitting
  const wanted = count === undefined ? 'a job' : `${count} jobs`
  const seen = found.map((job) => `  ${job.state} ${JSON.stringify(job.payload)}`).join('\n')
  throw new assert.AssertionError({
    message: `expected ${wanted} like ${JSON.stringify(expected)}, found ${fitting.length}; of this kind there are:\n${seen || '  none'}`,
    actual: found.map((job) => job.payload),
    expected: payload,
    operator: 'assertEnqueued',
  })
}

function has(actual: unknown, expected: unknown): boolean {
  try {
    assert.partialDeepStrictEqual(actual, expected)
    return true
  } catch {
    // Another job's payload.
    return false
  }
}
