import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createMemoryBackend } from '@tailwater/jobs'
import { engine } from '../testing/engine.ts'

it('a process asks a store that is slow for no second sweep before the first one has ended', async () => {
  const clock = new FakeClock()
  const memory = createMemoryBackend({ clock })
  let sweeps = 0
  let answer = Promise.withResolvers<void>()
  const sweep = async () => {
    sweeps++
    await answer.promise
    return memory.maintain.sweep()
  }
  const { jobs } = engine({
    clock,
    backend: { ...memory, maintain: { ...memory.maintain, sweep } },
    pollInterval: '1s',
  })
  await jobs.start()
  await clock.advance(20_000)
  assert.equal(sweeps, 1)
  answer.resolve()
  answer = Promise.withResolvers()
  await clock.advance(4_000)
  assert.equal(sweeps, 2)
  answer.resolve()
  await jobs.stop()
})
