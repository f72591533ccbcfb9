import { jobAttempt, listen } from '@tailwater/core'
import { finalStates, type Jobs, type JobView } from '@tailwater/jobs'

/** Resolves when an attempt has ended, whichever. */
function nextAttempt(): Promise<void> {
  return new Promise((resolve) => {
    const end = listen(jobAttempt, () => {
      end()
      resolve()
    })
  })
}

/** A job once it has ended for good. */
export async function endedJob(jobs: Jobs, id: string): Promise<JobView> {
  for (;;) {
    const next = nextAttempt()
    const job = await jobs.inspect.get(id)
    if (job && finalStates.includes(job.state)) return job
    await next
  }
}

/** The jobs of a kind, once there are so many of them and all have ended. */
export async function endedJobs(jobs: Jobs, kind: string, count = 1): Promise<JobView[]> {
  for (;;) {
    const next = nextAttempt()
    const { jobs: found } = await jobs.inspect.list({ kind })
    if (found.length >= count && found.every(({ state }) => finalStates.includes(state))) return found
    await next
  }
}
