import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import {
  type Cancel,
  type Clock,
  type JobAttemptEvent,
  jobAttempt,
  jobEnqueued,
  listen,
  systemClock,
} from '@tailwater/core'

/** How spans are made. */
export interface JobTracing {
  /** @default that of the global provider, by the name `@tailwater/jobs` */
  tracer?: Tracer
  /** @default systemClock */
  clock?: Clock
}

/** `00-<trace id>-<span id>-<flags>`, as W3C Trace Context has it. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/**
 * Makes spans of what the engine tells by its events: `enqueue <kind>` for each stored job, `run <kind>` for each attempt, both below the span in which the job was
 * enqueued. Handlers themselves run with the enqueuer's traceparent. Needs `@opentelemetry/api`.
 *
 * @returns what ends it
 * @example
 * const end = traceJobs()
 */
export function traceJobs({
  tracer = trace.getTracer('@tailwater/jobs'),
  clock = systemClock,
}: JobTracing = {}): Cancel {
  const ends = [
    listen(jobEnqueued, ({ kind, queue, jobId, traceparent }) => {
      const attributes = attributesOf('send', kind, queue, jobId)
      tracer.startSpan(`enqueue ${kind}`, { kind: SpanKind.PRODUCER, attributes }, contextOf(traceparent)).end()
    }),
    listen(jobAttempt, (event) => recordAttempt(tracer, event, clock.now())),
  ]
  return () => {
    for (const end of ends) end()
  }
}

function recordAttempt(tracer: Tracer, event: JobAttemptEvent, endedAt: number): void {
  const { kind, queue, jobId, attempt, outcome, waitMs, ms, error, traceparent } = event
  const attributes = {
    ...attributesOf('process', kind, queue, jobId),
    'tailwater.job.attempt': attempt,
    'tailwater.job.outcome': outcome,
    'tailwater.job.wait_ms': waitMs,
  }
  const options = { kind: SpanKind.CONSUMER, startTime: endedAt - ms, attributes }
  const span = tracer.startSpan(`run ${kind}`, options, contextOf(traceparent))
  if (error) {
    span.recordException(error, endedAt)
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
  }
  span.end(endedAt)
}

/** By the semantic conventions for messaging. */
function attributesOf(operation: string, kind: string, queue: string | undefined, jobId: string) {
  return {
    'messaging.system': 'tailwater',
    'messaging.operation.type': operation,
    'messaging.message.id': jobId,
    'tailwater.job.kind': kind,
    ...(queue !== undefined && { 'messaging.destination.name': queue }),
  }
}

function contextOf(traceparent: string | undefined): Context {
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent)
  if (!match) return ROOT_CONTEXT
  const [, traceId, spanId, flags] = match
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceId!,
    spanId: spanId!,
    traceFlags: Number.parseInt(flags!, 16),
    isRemote: true,
  })
}
