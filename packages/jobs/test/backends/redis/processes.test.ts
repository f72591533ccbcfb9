import assert from 'node:assert/strict'
import { after, afterEach, before, it } from 'node:test'
import { sleep, systemClock } from '@tailwater/core'
import { createRedis, type Redis } from '@tailwater/redis'
import { startRedis, type TestRedis } from '@tailwater/redis/testing'
import type { TurnReply } from '../../../src/backend/work_port.ts'
import type { JobsBackend } from '../../../src/backend.ts'
import { createRedisBackend } from '../../../src/backends/redis/index.ts'
import { idsOf, newJob } from '../../../src/testing/contract/subject.ts'
import { WorkerProcess } from './worker_process.ts'

/** Milliseconds; the time is the real one. */
const SHORT_LEASE = 300
const MINUTES_10 = 600_000
const wants = [{ queue: 'mail', count: 1 }]

let server: TestRedis
let redis: Redis
let backend: JobsBackend
let prefix: string
let prefixes = 0
const workers: WorkerProcess[] = []
before(async () => {
  server = await startRedis()
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()))
  await redis.stop()
})
after(() => server.stop())

async function open(): Promise<void> {
  prefix = `processes-${++prefixes}`
  redis = createRedis({ url: server.url, prefix })
  await redis.start()
  backend = createRedisBackend({ redis })
}

function spawnWorker(clockOffset = 0): WorkerProcess {
  const worker = new WorkerProcess(server.url, prefix, clockOffset)
  workers.push(worker)
  return worker
}

/** Takes turns until one is as wanted. */
async function turnUntil(worker: string, isWanted: (reply: TurnReply) => boolean): Promise<TurnReply> {
  for (;;) {
    const reply = await backend.work.turn({ worker, lease: 60_000, ends: [], wants })
    if (isWanted(reply)) return reply
    await sleep(systemClock, 20)
  }
}

it('a frozen worker loses its job to another, and what it says when it is thawed is refused', async () => {
  await open()
  const job = newJob()
  await backend.jobs.add([job])
  const frozen = spawnWorker()
  const { claimed } = await frozen.turn({ worker: 'frozen', lease: SHORT_LEASE, ends: [], wants })
  assert.deepEqual(idsOf(claimed), [job.id])
  frozen.signal('SIGSTOP')
  const rescued = await turnUntil('other', (reply) => reply.claimed.length > 0)
  assert.deepEqual(
    rescued.claimed.map(({ id, attempt }) => [id, attempt]),
    [[job.id, 2]],
  )
  const late = frozen.turn({
    worker: 'frozen',
    lease: SHORT_LEASE,
    ends: [{ id: job.id, attempt: 1, outcome: 'completed', result: '"late"' }],
    wants: [],
  })
  frozen.signal('SIGCONT')
  assert.deepEqual((await late).refused, [job.id])
  const ends = [{ id: job.id, attempt: 2, outcome: 'completed', result: '"right"' }] as const
  assert.deepEqual((await backend.work.turn({ worker: 'other', lease: 60_000, ends, wants: [] })).refused, [])
  const ended = await backend.inspect.get(job.id)
  assert.deepEqual([ended?.state, ended?.result, ended?.crashes], ['completed', '"right"', 1])
})

it('a job that kills every worker process ends as a dead letter, and those beside it do not', async () => {
  await open()
  const [poison, innocent] = [newJob({ maxAttempts: 10 }), newJob({ queue: 'other', maxAttempts: 10 })]
  await backend.jobs.add([poison, innocent])
  for (let crash = 1; crash <= 4; crash++) {
    const doomed = spawnWorker()
    const { claimed } = await doomed.turn({ worker: `doomed-${crash}`, lease: SHORT_LEASE, ends: [], wants })
    assert.deepEqual(idsOf(claimed), [poison.id])
    doomed.signal('SIGKILL')
    await untilRescued(poison.id)
  }
  const dead = await backend.inspect.get(poison.id)
  assert.equal(dead?.state, 'dead')
  assert.match(dead?.error ?? '', /^E_JOB_POISON/)
  assert.equal((await backend.inspect.get(innocent.id))?.state, 'available')
})

async function untilRescued(id: string): Promise<void> {
  while ((await backend.inspect.get(id))?.state === 'running') {
    await backend.maintain.sweep()
    await sleep(systemClock, 20)
  }
}

for (const offset of [MINUTES_10, -MINUTES_10])
  it(`a worker whose clock is ${offset / 60_000} minutes off takes and loses nothing before its time`, async () => {
    await open()
    const [due, later] = [newJob(), newJob({ delay: MINUTES_10 / 2 })]
    await backend.jobs.add([due, later])
    const worker = spawnWorker(offset)
    const turn = { worker: 'wrong', lease: 30_000, ends: [], wants: [{ queue: 'mail', count: 5 }] }
    const { claimed, clock, nextIn } = await worker.turn(turn)
    assert.ok(Math.abs(clock - systemClock.now() - offset) < 60_000, 'its clock is off')
    assert.deepEqual(idsOf(claimed), [due.id])
    assert.ok(claimed[0]!.waited < 60_000 && nextIn! > MINUTES_10 / 4)
    const other = await backend.work.turn({ ...turn, worker: 'right' })
    assert.deepEqual(other.claimed, [], 'its lease has not ended')
    const ends = [{ id: due.id, attempt: 1, outcome: 'completed', result: undefined } as const]
    assert.deepEqual((await worker.turn({ ...turn, ends })).refused, [])
  })
