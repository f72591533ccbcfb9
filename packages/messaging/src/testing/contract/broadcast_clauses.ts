import assert from 'node:assert/strict'
import type { MessagingBackend } from '../../backend.ts'
import type { Message } from '../../message.ts'
import type { Clause } from './subject.ts'

/** Listens, and gives what has come with a promise of the next. */
async function hear(backend: MessagingBackend, exchange: string, patterns: readonly string[]) {
  const heard: Message[] = []
  let tell: () => void = () => {}
  const stop = await backend.consume.listen(
    patterns.map((pattern) => ({ exchange, pattern })),
    (message) => {
      heard.push(message)
      tell()
    },
  )
  async function until(count: number): Promise<string[]> {
    while (heard.length < count)
      await new Promise<void>((resolve) => {
        tell = resolve
      })
    return heard.map(({ topic }) => topic)
  }
  return { heard, until, stop }
}

/** What everybody hears. */
export function broadcastClauses(clause: Clause): void {
  clause('every listener hears every message, in every process', async (subject) => {
    const exchange = await subject.exchange()
    const listeners = [
      await hear(subject.backend, exchange, ['#']),
      await hear(subject.backend, exchange, ['#']),
      await hear(await subject.open(), exchange, ['#']),
    ]
    assert.equal(await subject.send(exchange, 'a'), 'confirmed')
    assert.equal(await subject.send(exchange, 'b'), 'confirmed')
    for (const { until } of listeners) assert.deepEqual(await until(2), ['a', 'b'])
  })

  clause('a listener hears what matches, once, whatever number of its patterns do', async (subject) => {
    const exchange = await subject.exchange()
    await subject.subscription(exchange, ['#'])
    const { until } = await hear(await subject.open(), exchange, ['order.*', 'order.#', 'last'])
    await subject.publish(exchange, 'other', 'order.placed', 'last')
    assert.deepEqual(await until(2), ['order.placed', 'last'])
  })

  clause('listeners take nothing from subscriptions', async (subject) => {
    const { exchange, subscription } = await subject.line()
    const { until } = await hear(subject.backend, exchange, ['#'])
    await subject.publish(exchange, 'a')
    assert.deepEqual(await until(1), ['a'])
    assert.deepEqual(await (await subject.consume(subscription)).finish(1), ['a'])
  })

  clause('who has ended listening hears nothing more', async (subject) => {
    const exchange = await subject.exchange()
    const ended = await hear(subject.backend, exchange, ['#'])
    const other = await hear(subject.backend, exchange, ['#'])
    await subject.send(exchange, 'a')
    await ended.until(1)
    await ended.stop()
    await subject.send(exchange, 'b')
    await other.until(2)
    assert.equal(ended.heard.length, 1)
    await other.stop()
    assert.equal(await subject.send(exchange, 'c'), 'unroutable')
  })

  clause('a listener gets all that a message carries', async (subject) => {
    const exchange = await subject.exchange()
    const { heard, until } = await hear(await subject.open(), exchange, ['#'])
    const sent = subject.message(exchange, 'a', { headers: { tenant: 'x' }, requestId: 'r-1', level: 'high' })
    await subject.backend.publish.send([{ message: sent }])
    await until(1)
    assert.deepEqual({ ...heard[0] }, sent)
  })
}
