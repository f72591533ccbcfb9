import { after } from 'node:test'
import { type JobAttemptEvent, type JobTurnEvent, jobAttempt, jobTurn, listen } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createJobs, createMemoryBackend, type Jobs, type JobsBackend, type JobsOptions } from '@tailwater/jobs'

const open: Jobs[] = []
after(() => Promise.all(open.map((jobs) => jobs.stop(0))))

/** An engine on memory, whose clock never moves by itself. */
export interface Engine {
  jobs: Jobs
  clock: FakeClock
  backend: JobsBackend
}

/** An engine that has not been started. */
export function engine({
  clock = new FakeClock(),
  ...options
}: Partial<JobsOptions> & { clock?: FakeClock } = {}): Engine {
  const backend = options.backend ?? createMemoryBackend({ clock })
  const jobs = createJobs({ clock, ...options, backend })
  open.push(jobs)
  return { jobs, clock, backend }
}

/** Waits for the end of an attempt that fits. */
export function nextAttempt(fits: string | ((event: JobAttemptEvent) => boolean)): Promise<JobAttemptEvent> {
  const isWanted = typeof fits === 'string' ? ({ kind }: JobAttemptEvent) => kind === fits : fits
  return new Promise((resolve) => {
    const end = listen(jobAttempt, (event) => {
      if (!isWanted(event)) return
      end()
      resolve(event)
    })
  })
}

/** Waits for a turn that fits. */
export function nextTurn(fits: (event: JobTurnEvent) => boolean = () => true): Promise<JobTurnEvent> {
  return new Promise((resolve) => {
    const end = listen(jobTurn, (event) => {
      if (!fits(event)) return
      end()
      resolve(event)
    })
  })
}
