import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type JobAttemptEvent, jobAttempt, listen } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createMemoryBackend, finalStates } from '@tailwater/jobs'
import { chaos } from '@tailwater/jobs/testing'
import { engine } from './testing/engine.ts'

const JOBS = 300
const seeds = [1, 2, 3, process.hrtime()[1]]

for (const [index, seed] of seeds.entries())
  it(`over a connection that loses calls and replies every confirmed job ends, and none runs beside itself (walk ${index + 1})`, async () => {
    const clock = new FakeClock()
    const memory = createMemoryBackend({ clock })
    const running = new Set<string>()
    const overlaps: string[] = []
    const runs = new Map<string, number>()
    const attempts: JobAttemptEvent[] = []
    const unlisten = listen(jobAttempt, (event) => attempts.push(event))
    const engines = Array.from({ length: 3 }, (_, process) => {
      const { jobs } = engine({
        clock,
        backend: chaos(memory, { seed: seed + process, losses: 0.15 }),
        concurrency: 8,
        owner: `process ${process}`,
      })
      const kind = jobs.define<number>({
        kind: 'unsteady',
        attempts: 4,
        backoff: { type: 'fixed', delay: 500, jitter: 0 },
        async run({ jobId, payload, attempt, signal }) {
          if (running.has(jobId)) overlaps.push(jobId)
          running.add(jobId)
          runs.set(jobId, (runs.get(jobId) ?? 0) + 1)
          await new Promise<void>((resolve) => void clock.after(10 + (payload % 7) * 30, resolve))
          running.delete(jobId)
          if (signal.aborted) throw signal.reason
          if (payload % 5 === 0 && attempt < 3) throw new Error('not yet')
        },
      })
      return { jobs, kind }
    })
    for (const { jobs } of engines) await jobs.start()
    const calls = Array.from({ length: JOBS }, (_, n) => engines[n % 3]!.kind.enqueue(n))
    const confirmed = (await Promise.allSettled(calls)).flatMap((call) =>
      call.status === 'fulfilled' ? call.value : [],
    )
    for (let seconds = 0; seconds < 180; seconds++) await clock.advance(1_000)
    const counts = await memory.inspect.counts()
    for (const { jobs } of engines) await jobs.stop(clock.elapsed())
    unlisten()
    const states = await Promise.all(confirmed.map(async (id) => (await memory.inspect.get(id))?.state))
    const lost = states.filter((state) => !state || !finalStates.includes(state))
    assert.deepEqual([lost, overlaps], [[], []], `seed ${seed}`)
    assert.ok(confirmed.length > 0)
    assert.deepEqual([counts.available, counts.running, counts.dead], [0, 0, 0], `seed ${seed}`)
    // Nobody died, so that each job has run as often as it failed, and once more: a lost reply makes no run of its own.
    for (const [id, times] of runs) assert.equal(times, (await memory.inspect.get(id))?.attempt, `seed ${seed}`)
  })
