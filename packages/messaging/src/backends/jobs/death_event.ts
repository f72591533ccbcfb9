import { messageDead } from '@tailwater/core'
import type { ClaimedJob } from '@tailwater/jobs'
import { decodeMessage } from './message_job.ts'

/** Tells of a message that died before any handler saw it. */
export function publishDeath(subscription: string, job: ClaimedJob, reason: 'poison' | 'foreign'): void {
  if (!messageDead.hasSubscribers) return
  const { requestId, exchange, topic, id: messageId } = read(job)
  messageDead.publish({ requestId, subscription, exchange, topic, messageId, reason, error: undefined })
}

function read(job: ClaimedJob) {
  try {
    return decodeMessage(job)
  } catch {
    return { requestId: job.requestId, exchange: '', topic: '', id: job.id }
  }
}
