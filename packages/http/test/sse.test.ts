import assert from 'node:assert/strict'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { type SseEvent, sse } from '@tailwater/http'

async function* one(event: SseEvent): AsyncGenerator<SseEvent> {
  yield event
}

async function textOf(events: AsyncIterable<SseEvent>): Promise<string> {
  return (await (sse(events).body as Readable).toArray()).join('')
}

test('an event is written with its name, id and data, a line of data per line', async () => {
  assert.equal(
    await textOf(one({ event: 'tick', id: '7', data: 'a\nb\r\nc' })),
    'retry: 2000\n\nid: 7\nevent: tick\ndata: a\ndata: b\ndata: c\n\n',
  )
  assert.equal(await textOf(one({ data: { n: 1 } })), 'retry: 2000\n\ndata: {"n":1}\n\n')
})

test('a silent source is bridged by comments, until the client leaves and the source is ended', async () => {
  const clock = new FakeClock()
  let isReturned = false
  const silent: AsyncIterable<SseEvent> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: () => {
        isReturned = true
        return Promise.resolve({ done: true, value: undefined })
      },
    }),
  }
  const body = sse(silent, { clock, heartbeat: 1_000 }).body as Readable
  const seen: string[] = []
  body.on('data', (chunk) => seen.push(String(chunk)))
  await clock.advance(2_500)
  assert.deepEqual(seen, ['retry: 2000\n\n', ':\n\n', ':\n\n'])
  body.destroy()
  assert.equal(isReturned, true)
  assert.equal(clock.pending, 0)
})

test('a source is asked for its next event only when the last one is taken', async () => {
  let asked = 0
  async function* counting(): AsyncGenerator<SseEvent> {
    for (;;) yield { data: asked++ }
  }
  const body = sse(counting()).body as Readable
  body.read()
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(asked <= 2, `${asked} events were asked for`)
  body.destroy()
})

test('a source that fails ends the stream with its error', async () => {
  const failing: AsyncIterable<SseEvent> = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('broken')) }),
  }
  await assert.rejects((sse(failing).body as Readable).toArray(), /broken/)
})
