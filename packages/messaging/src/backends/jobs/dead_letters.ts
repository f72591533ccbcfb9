import type { Job, JobsBackend } from '@tailwater/jobs'
import type { DeadLetter, DeadLetterPage, DeadLetterPort } from '../../backend/dead_letter_port.ts'
import { decodeHistory } from './history.ts'
import { decodeMessage, encodeMessage } from './message_job.ts'
import { possibleQueues } from './queue_name.ts'
import { ANY_AGE } from './topology.ts'

/** Jobs of one bite. */
const BITE = 500

/** Dead jobs as dead letters: the newest first, level by level. */
export function deadLetterPort(store: JobsBackend, wake: (queue: string) => void): DeadLetterPort {
  const { inspect, maintain } = store

  async function deadJob(subscription: string, id: string): Promise<Job | undefined> {
    const job = await inspect.get(id)
    return job?.state === 'dead' && possibleQueues(subscription).includes(job.queue) ? job : undefined
  }

  async function countIn(queue: string): Promise<number> {
    return (await inspect.counts(queue)).dead
  }

  async function count(subscription: string): Promise<number> {
    const counts = await Promise.all(possibleQueues(subscription).map(countIn))
    return counts.reduce((sum, dead) => sum + dead, 0)
  }

  async function redriveAll(queue: string): Promise<number> {
    // As many as there are now: what dies again meanwhile must not go round for ever.
    let left = await countIn(queue)
    const all = left
    while (left > 0) {
      const moved = await maintain.redrive({ queue, states: ['dead'] }, Math.min(BITE, left))
      if (moved === 0) break
      left -= moved
    }
    if (all > left) wake(queue)
    return all - left
  }

  return {
    count,
    async get(subscription, id) {
      const job = await deadJob(subscription, id)
      return job && letterOf(subscription, job)
    },
    list: (subscription, { limit, cursor }) => listLetters(store, subscription, limit, cursor),
    async redrive(subscription, ids, edit) {
      let moved = 0
      if (!ids) for (const queue of possibleQueues(subscription)) moved += await redriveAll(queue)
      for (const id of ids ?? []) {
        const job = await deadJob(subscription, id)
        if (!job) continue
        if (edit) await maintain.edit(id, { payload: edited(job, edit) })
        if (!(await maintain.retry(id))) continue
        moved++
        wake(job.queue)
      }
      return moved
    },
    async purge(subscription, ids) {
      let gone = 0
      if (!ids)
        for (const queue of possibleQueues(subscription))
          for (let bite = BITE; bite > 0; gone += bite)
            bite = await maintain.clean({ queue, states: ['dead'] }, ANY_AGE, BITE)
      for (const id of ids ?? []) if ((await deadJob(subscription, id)) && (await maintain.remove(id))) gone++
      return gone
    },
  }
}

async function listLetters(
  { inspect }: JobsBackend,
  subscription: string,
  limit: number,
  from: string | undefined,
): Promise<DeadLetterPage> {
  const queues = possibleQueues(subscription)
  const colon = from?.indexOf(':') ?? -1
  let cursor = from?.slice(colon + 1) || undefined
  const letters: DeadLetter[] = []
  for (let at = from ? Number.parseInt(from, 10) : 0; at < queues.length; at++) {
    const filter = { queue: queues[at]!, states: ['dead'] as const }
    const page = await inspect.list(filter, { limit: limit - letters.length, ...(cursor !== undefined && { cursor }) })
    letters.push(...page.jobs.map((job) => letterOf(subscription, job)))
    cursor = page.next
    if (cursor !== undefined) return { letters, cursor: `${at}:${cursor}` }
    if (letters.length === limit) return { letters, cursor: at + 1 < queues.length ? `${at + 1}:` : undefined }
  }
  return { letters, cursor: undefined }
}

function letterOf(subscription: string, job: Job): DeadLetter {
  const { reason, notes } = decodeHistory(job.error)
  return { id: job.id, subscription, message: messageOf(job), reason, notes, diedAt: job.finishedAt }
}

/** Of a job that is none of ours, the payload as it is: it can be looked at, and purged. */
function messageOf(job: Job): DeadLetter['message'] {
  try {
    return decodeMessage(job)
  } catch {
    const { id, payload: body } = job
    const foreign = { exchange: '', topic: '', contentType: 'text/plain', headers: {}, level: 'normal' as const }
    return { ...foreign, id, body, publishedAt: job.enqueuedAt }
  }
}

function edited(job: Job, { body, headers }: NonNullable<Parameters<DeadLetterPort['redrive']>[2]>): string {
  return encodeMessage({ ...messageOf(job), body, ...(headers && { headers }) })
}
