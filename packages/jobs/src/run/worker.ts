import {
  backgroundError,
  type Cancel,
  createService,
  newId,
  processIdentity,
  type Service,
  toError,
} from '@tailwater/core'
import { jobsError } from '../errors.ts'
import type { ResolvedKind } from '../kind.ts'
import type { ResolvedJobsOptions } from '../options.ts'
import type { ResolvedQueue } from '../queue_options.ts'
import type { AttemptHost } from './attempt.ts'
import { type Ended, publishBuried } from './attempt_events.ts'
import { Autoscaler } from './autoscaler.ts'
import { untilDeadline } from './deadline.ts'
import { Executor } from './executor.ts'
import { Lane, Lanes } from './lane.ts'
import { Reports } from './reports.ts'
import { Runner } from './runner.ts'
import { Spans } from './spans.ts'
import { Threads } from './threads.ts'

/** Milliseconds after a deadline in which jobs are given back; if the store does not answer, the lease ends by itself. */
const GIVE_BACK_TIME = 1_000
/** Poll intervals between two sweeps of one process, up to a fifth less by chance. */
const POLLS_PER_SWEEP = 2

/** What a worker needs of the engine. */
export interface WorkerParts {
  options: ResolvedJobsOptions
  kinds: ReadonlyMap<string, ResolvedKind>
  children: AttemptHost['children']
}

/** A worker of one process: it runs jobs between `start` and `stop`. */
export interface Worker extends Service {
  /** A queue may have got jobs. */
  wake(queue: string): void
  /** Lets a queue's change take effect; resolves when the store has it too, which before the start is at the start. */
  configure(queue: ResolvedQueue): Promise<void>
  /** Resolves when nothing runs, and nothing can be claimed now. */
  idle(): Promise<void>
}

/** Puts the parts of a worker together. A process whose queues all have a concurrency of 0 has one that only sweeps. */
export function createWorker({ options, kinds, children }: WorkerParts): Worker {
  const { backend, clock, lease, pollInterval } = options
  const worker = options.owner ?? `${processIdentity}:${newId().slice(-6)}`
  const report = (error: unknown) => {
    if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'jobs', error: toError(error) })
  }
  const scaled = options.queues.all
    .filter(({ concurrency }) => concurrency.max > 0)
    .map(({ name, concurrency }) => ({ lane: new Lane(name, concurrency.min), ...concurrency }))
  const lanes = new Lanes(scaled.map(({ lane }) => lane))
  const reports = new Reports(backend.work, worker, clock, report)
  const spans = new Spans(backend.work, clock, report)
  const threads = new Threads(clock, options.threads)
  const host: AttemptHost = {
    progress: (id, given) => reports.progress(id, given),
    log: (id, line) => reports.log(id, line),
    children,
  }
  const crashesOf = async (id: string) => (await backend.inspect.get(id))?.crashes ?? 0
  const end = (ended: Ended) => runner.end(ended)
  const isSettled = () => runner.isSettled
  const executor = new Executor({ clock, kinds, lanes, host, threads, crashesOf, isSettled, report, end })
  const runner = new Runner({ work: backend.work, clock, worker, lease, pollInterval, lanes, reports, spans, executor })
  const autoscaler = new Autoscaler(clock, scaled, () => runner.resized())
  let cancelSweep: Cancel = () => {}
  let isSweeping = false
  let isOpen = false
  let configured: Promise<void> = Promise.resolve()
  let unlisten: () => Promise<void> = async () => {}

  function planSweep(): void {
    const wait = Math.ceil(POLLS_PER_SWEEP * pollInterval * (1 - 0.2 * Math.random()))
    cancelSweep = clock.after(wait, () => {
      planSweep()
      // A store that is slow must not be asked for more and more of them.
      if (isSweeping) return
      isSweeping = true
      void sweep()
        .catch(report)
        .finally(() => {
          isSweeping = false
        })
    })
  }

  async function sweep(): Promise<void> {
    const { buried } = await backend.maintain.sweep()
    publishBuried(buried)
  }

  /** One after the other, and each as the queue stands then: of two changes at once the later one is what is stored. */
  function store(name: string): Promise<void> {
    const storing = configured.then(() => {
      const { limits, retention } = options.queues.of(name)
      return backend.maintain.configure(name, limits, retention)
    })
    configured = storing.catch(() => {})
    return storing
  }

  async function configure({ name, concurrency }: ResolvedQueue): Promise<void> {
    autoscaler.bound(name, concurrency)
    if (!isOpen) return
    await store(name)
    runner.wake(name)
  }

  async function open(): Promise<void> {
    isOpen = true
    for (const { name } of options.queues.all) await store(name)
    planSweep()
    if (scaled.length === 0) return
    unlisten = await backend.jobs.onAvailable((queue) => runner.wake(queue))
    executor.open()
    autoscaler.start()
    runner.open()
  }

  async function close(deadline: number): Promise<void> {
    isOpen = false
    cancelSweep()
    autoscaler.stop()
    if (scaled.length === 0) return
    executor.quiet()
    await untilDeadline(clock, deadline, runner.quiet())
    executor.abandonAll(jobsError('E_JOB_STOPPING', 'the process is stopping'))
    await untilDeadline(clock, Math.max(deadline, clock.elapsed()) + GIVE_BACK_TIME, leave())
  }

  async function leave(): Promise<void> {
    await runner.close()
    await spans.send()
    // A store that is away must not keep a process from stopping: the lease ends by itself.
    await unlisten().catch(report)
    await backend.work.leave(worker).catch(report)
    await threads.close()
  }

  const service = createService('jobs-worker', {
    start: open,
    stop: (deadline = Number.POSITIVE_INFINITY) => close(deadline),
  })
  return { ...service, wake: (queue) => runner.wake(queue), configure, idle: () => runner.idle() }
}
