import type { JobFilter } from '../../backend/inspect_port.ts'
import type { MaintainPort, QueueLimits, Retention } from '../../backend/maintain_port.ts'
import type { Job, JobState } from '../../job.ts'
import type { JobsConnection } from './connection.ts'
import { type BuriedJob, buriedOf } from './job_text.ts'
import { CANCEL } from './scripts/cancel.ts'
import { CONFIGURE } from './scripts/configure.ts'
import { EDIT } from './scripts/edit.ts'
import { ERASE } from './scripts/erase.ts'
import { NOW } from './scripts/now.ts'
import { PAUSE } from './scripts/pause.ts'
import { REMOVE } from './scripts/remove.ts'
import { RETRY } from './scripts/retry.ts'
import { SWEEP } from './scripts/sweep.ts'
import { isAfter, walk } from './walk.ts'

/** Jobs that one script changes. */
const BITE = 200
/** Jobs that one sweep deletes, about. */
const SWEPT = 5_000
/** States that a retry leads out of. */
export const RETRIED: readonly JobState[] = ['scheduled', 'retryable', 'cancelled', 'dead']

/** How jobs in Redis are looked after. @param maxCrashes crashes that a job may have before it is taken for poison */
export function maintainPort(connection: JobsConnection, maxCrashes: number): MaintainPort {
  const { run } = connection

  /** The oldest jobs that fit, of all queues. */
  async function oldest(filter: JobFilter, limit: number, fits?: (job: Job) => boolean): Promise<string[]> {
    const names =
      filter.queue === undefined
        ? await connection.redis.command<string[]>('SMEMBERS', `${connection.root}:queues`)
        : [filter.queue]
    const found = await Promise.all(
      names.map((queue) =>
        walk(connection, { queue, filter, order: 'old', after: undefined, limit, ...(fits && { fits }) }),
      ),
    )
    return found
      .flat()
      .sort((a, b) => (isAfter(a, b) ? -1 : 1))
      .slice(0, limit)
      .map(({ id }) => id)
  }

  /** Runs a script on many jobs, some at a time. @returns how many it changed */
  async function each(ids: readonly string[], change: (bite: readonly string[]) => Promise<number>): Promise<number> {
    let changed = 0
    for (let from = 0; from < ids.length; from += BITE) changed += await change(ids.slice(from, from + BITE))
    return changed
  }

  return {
    async configure(queue, limits, retention) {
      await run(CONFIGURE, [queue, settingsText(limits, retention)])
    },
    async pause(queue) {
      await run(PAUSE, [queue, 'pause'])
    },
    async resume(queue) {
      await run(PAUSE, [queue, 'resume'])
    },
    cancel: async (id) => (await run(CANCEL, [id])) === 1,
    retry: async (id) => (await run(RETRY, ['', RETRIED.join(' '), id])) === 1,
    async redrive(filter, limit, to = '') {
      const states = RETRIED.filter((state) => filter.states?.includes(state) ?? true)
      if (states.length === 0) return 0
      const ids = await oldest({ ...filter, states }, limit)
      return each(ids, (bite) => run<number>(RETRY, [to, states.join(' '), ...bite]))
    },
    async edit(id, { payload, priority, runAt, queue }) {
      const args = [id, payload === undefined ? 0 : 1, payload ?? '', priority ?? '', runAt ?? '', queue ?? '']
      return (await run(EDIT, args)) === 1
    },
    remove: async (id) => (await run(REMOVE, ['', '', id])) === 1,
    async clean(filter, age, limit) {
      const now = await run<number>(NOW)
      const ids = await oldest(filter, limit, (job) => (job.finishedAt ?? job.enqueuedAt) <= now - age)
      return each(ids, (bite) => run<number>(REMOVE, [age, filter.states.join(' '), ...bite]))
    },
    erase: (key, limit) => run<number>(ERASE, [key, limit]),
    async sweep() {
      const buried = await run<BuriedJob[]>(SWEEP, [maxCrashes, SWEPT])
      return { buried: buried.map(buriedOf) }
    },
  }
}

/** Settings as scripts read them (lua/base.ts). */
function settingsText(limits: QueueLimits, { completed, cancelled, dead }: Retention): string {
  const { concurrency, rate, perKey, fair } = limits
  const fields = [
    ...[
      concurrency,
      rate?.count,
      rate?.per,
      perKey?.concurrency,
      perKey?.rate?.count,
      perKey?.rate?.per,
      fair ? 1 : '',
    ],
    ...[completed, cancelled, dead].flatMap(({ age, count }) => [age, count]),
  ]
  return fields.map((field) => `${field ?? ''}:`).join('')
}
