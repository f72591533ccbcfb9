import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createIdSource, isUuid, newId, processIdentity } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'

it('ids sort in the order they were made, thousands within one millisecond too', () => {
  const next = createIdSource(new FakeClock())
  const ids = Array.from({ length: 20_000 }, next)
  assert.deepEqual(ids, ids.toSorted())
  assert.equal(new Set(ids).size, ids.length)
})

it('ids do not go back when the clock does', () => {
  const clock = new FakeClock()
  const next = createIdSource(clock)
  const before = next()
  clock.step(-60_000)
  assert.ok(next() > before)
})

it('an id is a UUID of version 7 and variant 1 that carries its millisecond', () => {
  const clock = new FakeClock(Date.UTC(2026, 10, 22))
  const id = createIdSource(clock)()
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), clock.now())
  assert.ok(isUuid(newId()))
  assert.equal(isUuid('not-one'), false)
})

it('the process identity names host, pid and a nonce', () => {
  assert.match(processIdentity, new RegExp(`^.+:${process.pid}:[0-9a-f]{8}$`))
})
