import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import type { WorkPort } from '@tailwater/jobs'
import { Reports } from '../../src/run/reports.ts'

it('what is told while something is being told comes after it, and counts as told only when it is', async () => {
  const clock = new FakeClock()
  const told: (string | undefined)[] = []
  const replies: PromiseWithResolvers<void>[] = []
  const port = {
    async report(_worker: string, reports: readonly { progress?: string }[]) {
      const reply = Promise.withResolvers<void>()
      replies.push(reply)
      told.push(reports[0]?.progress)
      await reply.promise
    },
  } as unknown as WorkPort
  const reports = new Reports(port, 'worker', clock, () => {})
  reports.progress('job', 30)
  await clock.advance(250)
  assert.deepEqual(told, ['30'])
  assert.equal(reports.isEmpty, false)

  reports.progress('job', 100)
  const sent = reports.send()
  await clock.advance(0)
  assert.deepEqual(told, ['30'])
  replies[0]!.resolve()
  await clock.advance(0)
  assert.deepEqual(told, ['30', '100'])
  assert.equal(reports.isEmpty, false)
  replies[1]!.resolve()
  await sent
  assert.equal(reports.isEmpty, true)
})
