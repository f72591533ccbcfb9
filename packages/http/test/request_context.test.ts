import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUuid, runInContext } from '@tailwater/core'
import { outgoingHeaders } from '@tailwater/http'
import fc from 'fast-check'
import { createContext } from '../src/request_context.ts'
import { newSpanId, parseTraceparent } from '../src/traceparent.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'
const traceparent = `00-${traceId}-${spanId}-01`

test('a trace that comes with a request goes on in a span of ours', () => {
  const context = createContext({ traceparent, tracestate: 'vendor=1' }, false)
  const [version, trace, span, flags] = context.traceparent!.split('-')
  assert.deepEqual([version, trace, flags], ['00', traceId, '01'])
  assert.match(span!, /^[0-9a-f]{16}$/)
  assert.notEqual(span, spanId)
  assert.equal(context.tracestate, 'vendor=1')
})

test('a request without a trace begins one under its own id', () => {
  const { requestId, traceparent } = createContext({}, false)
  assert.ok(isUuid(requestId))
  assert.equal(parseTraceparent(traceparent)?.traceId, requestId.replaceAll('-', ''))
})

test('a trace that breaks the format begins anew, without its state', () => {
  const bad = [
    '',
    traceparent.toUpperCase(),
    `${traceparent}-00`,
    `${traceparent} `,
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-${spanId}`,
    `00-${traceId.slice(1)}-${spanId}-01x`,
  ]
  for (const header of bad) {
    assert.equal(parseTraceparent(header), undefined, header)
    const context = createContext({ traceparent: header, tracestate: 'vendor=1' }, false)
    assert.equal(context.tracestate, undefined)
    assert.ok(parseTraceparent(context.traceparent))
  }
})

test('a later version is read by the fields it shares with ours', () => {
  assert.equal(parseTraceparent(`01-${traceId}-${spanId}-01-more`)?.traceId, traceId)
  assert.equal(parseTraceparent(`01-${traceId}-${spanId}-01more`), undefined)
})

const hexDigits = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })

test('every trace that fits the format is read as it is, and no other text', () => {
  fc.assert(
    fc.property(hexDigits(32), hexDigits(16), hexDigits(2), (trace, span, flags) => {
      const parsed = parseTraceparent(`00-${trace}-${span}-${flags}`)
      const isValid = !/^0+$/.test(trace) && !/^0+$/.test(span)
      assert.deepEqual(parsed, isValid ? { traceId: trace, parentId: span, flags } : undefined)
    }),
  )
  fc.assert(fc.property(fc.string(), (text) => assert.equal(parseTraceparent(text), undefined)))
})

test('span ids do not repeat', () => {
  const ids = new Set(Array.from({ length: 2_000 }, newSpanId))
  assert.equal(ids.size, 2_000)
})

test('a believed request id is kept, unless it is long or could break a log line', () => {
  assert.equal(createContext({ 'x-request-id': 'req_1/2:3=@' }, true).requestId, 'req_1/2:3=@')
  for (const id of ['a'.repeat(129), 'a b', 'a\nb', 'ä', '', '<script>', '"'])
    assert.ok(isUuid(createContext({ 'x-request-id': id }, true).requestId), id)
  assert.ok(isUuid(createContext({ 'x-request-id': 'mine' }, false).requestId))
})

test('requests made on behalf of one carry its id and trace', () => {
  const context = createContext({ traceparent, tracestate: 'vendor=1' }, false)
  runInContext(context, () => {
    assert.deepEqual(outgoingHeaders(), {
      'x-request-id': context.requestId,
      traceparent: context.traceparent,
      tracestate: 'vendor=1',
    })
  })
  assert.deepEqual(outgoingHeaders(), {})
})
