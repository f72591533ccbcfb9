import type { NewJob } from '@tailwater/jobs'
import type { Message } from '../../message.ts'

/** Kind of the jobs that are messages. */
export const MESSAGE_KIND = 'message'
/** More attempts than anybody makes: it is the consumer that says when it is enough. */
const MAX_ATTEMPTS = 30_000
/** The middle: levels are queues, and within a queue age decides. */
const PRIORITY = 128

/** What is stored of a message; request and trace have columns of their own. */
type Stored = Omit<Message, 'body' | 'requestId' | 'traceparent'> & { body: string; encoding?: 'base64' }

/** A message as the payload of a job. */
export function encodeMessage(message: Message): string {
  const { body, requestId: _, traceparent: __, ...rest } = message
  if (typeof body === 'string') return JSON.stringify({ ...rest, body })
  const stored: Stored = { ...rest, body: Buffer.from(body).toString('base64'), encoding: 'base64' }
  return JSON.stringify(stored)
}

/** The message of a job. */
export function decodeMessage(job: {
  payload: string
  requestId: string | undefined
  traceparent: string | undefined
}): Message {
  const { encoding, body, ...rest } = JSON.parse(job.payload) as Stored
  return {
    ...rest,
    body: encoding === 'base64' ? Uint8Array.from(Buffer.from(body, 'base64')) : body,
    ...(job.traceparent !== undefined && { traceparent: job.traceparent }),
    ...(job.requestId !== undefined && { requestId: job.requestId }),
  }
}

/** A message for one subscription. @param payload of `encodeMessage`, made once for all subscriptions */
export function messageJob(
  id: string,
  queue: string,
  payload: string,
  { message, deliverAt }: { message: Message; deliverAt?: number | undefined },
): NewJob {
  const { requestId, traceparent } = message
  return {
    id,
    queue,
    kind: MESSAGE_KIND,
    payload,
    priority: PRIORITY,
    maxAttempts: MAX_ATTEMPTS,
    ...(deliverAt !== undefined && { runAt: deliverAt }),
    ...(requestId !== undefined && { requestId }),
    ...(traceparent !== undefined && { traceparent }),
  }
}
