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

it('progress that is no JSON or too long is left out and told of, and lines are kept as stores can keep them', async () => {
  const clock = new FakeClock()
  const told: unknown[] = []
  const errors: string[] = []
  const port = { report: async (_: string, reports: unknown) => void told.push(reports) } as unknown as WorkPort
  const reports = new Reports(port, 'worker', clock, (error) => errors.push((error as { code: string }).code))
  reports.progress('job', 5n)
  reports.progress('job', 'x'.repeat(65_535))
  assert.deepEqual(errors, ['E_JOB_PAYLOAD', 'E_JOB_PAYLOAD'])
  reports.log('job', 'a\0b\ud800')
  reports.log('job', 'x'.repeat(10_001))
  reports.log('job', undefined as never)
  await reports.send()
  assert.deepEqual(told, [[{ id: 'job', logs: ['ab\ufffd', 'x'.repeat(10_000), 'undefined'] }]])
})
