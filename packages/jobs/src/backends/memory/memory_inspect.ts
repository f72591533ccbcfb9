import { wrongCursor } from '../../backend/cursor.ts'
import type { InspectPort, JobCounts } from '../../backend/inspect_port.ts'
import { SPAN_SLOT, SPAN_SLOTS } from '../../backend/work_port.ts'
import { percentilesOf } from '../../histogram.ts'
import { jobStates } from '../../job.ts'
import { isNewer, matching } from './filter.ts'
import { type MemoryQueue, noJobs } from './queue.ts'
import { isFinal, jobOf } from './record.ts'
import type { MemoryStore } from './store.ts'

/** Milliseconds of a minute. */
const MINUTE = 60_000
/** Minutes of which statistics tell. */
const MINUTES = 60

/** What can be seen of memory. */
export function memoryInspect(store: MemoryStore): InspectPort {
  return {
    async get(id) {
      const record = store.jobs.get(id)
      return record && jobOf(record)
    },
    async children(id) {
      const ids = store.jobs.get(id)?.childIds ?? []
      return ids.flatMap((child) => store.jobs.get(child) ?? []).flatMap((r) => (isFinal(r.state) ? jobOf(r) : []))
    },
    async logs(id) {
      return [...(store.jobs.get(id)?.logs ?? [])]
    },
    async list(filter, { cursor, limit }) {
      const after = cursor === undefined ? undefined : readCursor(cursor)
      const jobs = []
      for (const record of matching(store.jobs.values(), filter)) {
        if (after && !isNewer(after, record)) continue
        if (jobs.length === limit) return { jobs, next: writeCursor(jobs.at(-1)!) }
        jobs.push(jobOf(record))
      }
      return { jobs, next: undefined }
    },
    counts: async (queue) => countsOf(store, queue),
    queues: async () =>
      [...store.queues.values()]
        .filter(isKnown)
        .map(({ name }) => name)
        .sort(),
    async stats(name) {
      const queue = store.queue(name)
      const begin = store.now() - (store.now() % MINUTE)
      const full = [...queue.minutes].filter(([at]) => at < begin && at >= begin - MINUTES * MINUTE)
      return {
        queue: name,
        paused: queue.isPaused,
        counts: { ...queue.counts },
        oldestAvailable: mapped(queue.available.first(), ({ availableSince }) => store.now() - availableSince),
        ...spansOf(queue, Math.floor(store.now() / SPAN_SLOT)),
        minutes: full.sort(([a], [b]) => a - b).map(([at, { completed, failed }]) => ({ at, completed, failed })),
      }
    },
  }
}

function spansOf({ spans }: MemoryQueue, present: number) {
  const shown = [...spans].filter(([slot]) => slot >= present - SPAN_SLOTS).map(([, span]) => span)
  return {
    wait: percentilesOf(shown.flatMap(({ waits }) => waits)),
    run: percentilesOf(shown.flatMap(({ runs }) => runs)),
  }
}

function countsOf(store: MemoryStore, name: string | undefined): JobCounts {
  const sum = noJobs()
  for (const queue of store.queues.values())
    if (name === undefined || queue.name === name) for (const state of jobStates) sum[state] += queue.counts[state]
  return sum
}

/** A queue that was only asked for is not one. */
const isKnown = ({ retention, counts, isPaused }: { retention: unknown; counts: JobCounts; isPaused: boolean }) =>
  retention !== undefined || isPaused || jobStates.some((state) => counts[state] > 0)

const mapped = <A, B>(value: A | undefined, change: (value: A) => B) =>
  value === undefined ? undefined : change(value)

const writeCursor = ({ enqueuedAt, id }: { enqueuedAt: number; id: string }) => `${enqueuedAt}:${id}`

function readCursor(cursor: string): { enqueuedAt: number; id: string } {
  const [at, id = ''] = cursor.split(/:(.*)/s)
  if (at === '' || !Number.isFinite(Number(at))) throw wrongCursor(cursor)
  return { enqueuedAt: Number(at), id }
}
