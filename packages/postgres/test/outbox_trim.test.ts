import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { databaseQuery, listen, type NoticeEvent, notice } from '@tailwater/core'
import { passTestTime } from '@tailwater/postgres/testing'
import { collector, outboxHome, untilSo } from './outbox_home.ts'

describe('trimming the outbox', () => {
  const RETENTION = 600_000

  /** An outbox with rows in line and a schema's clock that stands still. */
  async function trimmed(rows: number, options: { maxRows?: number } = {}) {
    const home = await outboxHome()
    await passTestTime(home.database, home.schema, 0)
    const { outbox, clock } = home.outbox({ retention: RETENTION, leaseTtl: '10h', ...options })
    await outbox.start()
    const append = async (count: number, topic = 'order') => {
      await outbox.appendAll(
        home.database,
        Array.from({ length: count }, () => ({ topic, payload: 1 })),
      )
      await untilSo(home, async () => (await home.count('sequence IS NULL')) === 0)
    }
    await append(rows)
    const rounds = async (count = 1) => {
      const from = rounds.done
      const endListening = listen(databaseQuery, ({ name }) => {
        if (name?.startsWith('tw_outbox_trim')) rounds.done++
      })
      await untilSo(home, async () => {
        await clock.advance(5_000)
        return rounds.done >= from + count
      })
      endListening()
    }
    rounds.done = 0
    return {
      ...home,
      outbox,
      clock,
      append,
      rounds,
      pass: (ms: number) => passTestTime(home.database, home.schema, ms),
    }
  }

  it('deletes rows once they are older than the retention, and not before', async () => {
    const it = await trimmed(10)
    await it.pass(RETENTION - 1)
    await it.rounds(2)
    assert.equal(await it.count(), 10)
    await it.append(3)
    await it.pass(1)
    await it.rounds(2)
    assert.equal(await it.count(), 3)
  })

  it('keeps what a consumer has yet to handle, whatever its age, and nothing else', async () => {
    const it = await trimmed(0)
    let isBroken = true
    const inbox = collector()
    await it.outbox.consumer(
      'orders',
      (messages) => {
        if (isBroken) throw new Error('broken')
        inbox.handler(messages)
      },
      { topics: ['order'] },
    )
    await it.append(4, 'other')
    await it.append(3, 'order')
    await it.pass(RETENTION)
    await it.rounds(2)
    assert.equal(await it.count("topic = 'order'"), 3)
    assert.equal(await it.count("topic = 'other'"), 0)
    isBroken = false
    await untilSo(it, async () => {
      await it.clock.advance(1_000)
      return (await it.outbox.consumers())[0]!.behind === 0
    })
    await it.clock.advance(RETENTION)
    await it.rounds(2)
    assert.equal(await it.count(), 0)
  })

  it('keeps no more rows than allowed, however young', async () => {
    const it = await trimmed(50, { maxRows: 20 })
    await it.rounds(2)
    assert.equal(await it.count(), 20)
  })

  it('of a long front goes on in steps until it is done', async () => {
    const it = await trimmed(12_000)
    await it.append(5)
    await it.pass(RETENTION)
    await it.append(5)
    await it.rounds(3)
    assert.equal(await it.count(), 5)
  })

  it('lets places go on from where they were when no row is left', async () => {
    const it = await trimmed(10)
    await it.pass(RETENTION)
    await it.rounds(2)
    assert.equal(await it.count(), 0)
    const inbox = collector()
    await it.outbox.consumer('late', inbox.handler)
    await it.append(1)
    await inbox.reach(1)
    assert.equal(inbox.messages[0]!.sequence, 11n)
  })

  it('speaks of a consumer that is far behind, and forgets one on request', async () => {
    const it = await trimmed(0)
    await it.outbox.consumer('gone', () => Promise.reject(new Error('broken')))
    await it.database.query(
      `INSERT INTO ${it.schema}.outbox (sequence, topic, payload, sequenced_at) VALUES (150000, 'order', '1', ${it.schema}.now())`,
    )
    const notices: NoticeEvent[] = []
    const endListening = listen(notice, (event) => notices.push(event))
    await untilSo(it, async () => {
      await it.clock.advance(5_000)
      return notices.some(({ message }) => /consumer 'gone' is \d{6} messages behind/.test(message))
    })
    endListening()
    assert.equal(await it.outbox.removeConsumer('gone'), true)
    assert.equal(await it.outbox.removeConsumer('gone'), false)
    assert.deepEqual(await it.outbox.consumers(), [])
  })
})
