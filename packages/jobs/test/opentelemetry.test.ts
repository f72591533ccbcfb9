import assert from 'node:assert/strict'
import { it } from 'node:test'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { runInContext } from '@tailwater/core'
import { traceJobs } from '@tailwater/jobs/opentelemetry'
import { drain } from '@tailwater/jobs/testing'
import { engine } from './testing/engine.ts'

it('spans tell of each enqueueing and each attempt, below the span of the enqueuer', async () => {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const { jobs, clock } = engine()
  const end = traceJobs({ tracer: provider.getTracer('test'), clock })
  const kind = jobs.define<null>({
    kind: 'traced',
    attempts: 1,
    run() {
      throw new Error('broken')
    },
  })
  const [traceId, spanId] = ['a'.repeat(32), 'b'.repeat(16)]
  const context = { requestId: 'r', traceparent: `00-${traceId}-${spanId}-01` }
  const id = await runInContext(context, () => kind.enqueue(null))
  await drain(jobs)
  end()
  await kind.enqueue(null)
  const spans = exporter.getFinishedSpans()
  assert.deepEqual(
    spans.map(({ name, kind: spanKind }) => [name, spanKind]),
    [
      ['enqueue traced', SpanKind.PRODUCER],
      ['run traced', SpanKind.CONSUMER],
    ],
  )
  for (const span of spans) {
    assert.deepEqual([span.spanContext().traceId, span.parentSpanContext?.spanId], [traceId, spanId])
    assert.equal(span.attributes['messaging.message.id'], id)
  }
  assert.deepEqual(spans[1]!.status, { code: SpanStatusCode.ERROR, message: 'broken' })
  assert.equal(spans[1]!.attributes['tailwater.job.outcome'], 'dead')
})

it('without a traceparent, or with one that is none, a job begins a trace of its own', async () => {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const { jobs } = engine()
  const end = traceJobs({ tracer: provider.getTracer('test') })
  const kind = jobs.define<null>({ kind: 'alone', run: () => 0 })
  await kind.enqueue(null)
  await runInContext({ requestId: 'r', traceparent: 'nonsense' }, () => kind.enqueue(null))
  end()
  const spans = exporter.getFinishedSpans()
  assert.equal(spans.length, 2)
  for (const span of spans) assert.equal(span.parentSpanContext, undefined)
})
