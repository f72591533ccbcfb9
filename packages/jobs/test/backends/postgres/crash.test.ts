import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { claim, completed, type Ground, newJob, openGround, takeTurn } from './ground.ts'

/** Jobs; enough that nobody has done them all before the kill. */
const JOBS = 4_000

let ground: Ground
const children: ChildProcess[] = []
before(async () => {
  ground = await openGround()
})
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await ground.close()
})

/** A worker, what it has begun, and a promise of its first hundred jobs. */
function startWorker(name: string) {
  const begun: string[] = []
  const child = spawn(
    process.execPath,
    [
      '--conditions=@tailwater/source',
      fileURLToPath(new URL('worker_process.ts', import.meta.url)),
      ground.url,
      ground.schema,
      name,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  children.push(child)
  let rest = ''
  const busy = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      begun.push(...lines)
      if (begun.length >= 100) resolve()
    })
  })
  const killed = async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  return { begun, busy, killed }
}

it('of two workers that are killed no job is lost, and what they had not ended runs again', async () => {
  const { backend, rows } = ground
  const stored = await backend.jobs.add(Array.from({ length: JOBS / 2 }, () => newJob()))
  stored.push(...(await backend.jobs.add(Array.from({ length: JOBS / 2 }, (_, at) => newJob({ priority: at % 256 })))))
  const workers = ['one', 'two'].map(startWorker)
  await Promise.all(workers.map(({ busy }) => busy))
  await Promise.all(workers.map(({ killed }) => killed()))
  // The server still ends the statements that it was given: what they write is seen once they let go of the table.
  await rows('DO $$ BEGIN LOCK TABLE $schema.jobs_live IN SHARE ROW EXCLUSIVE MODE; END $$')

  const left = await rows<{ id: string }>('SELECT id FROM $schema.jobs_live')
  const taken = await rows<{ id: string }>("SELECT id FROM $schema.jobs_live WHERE state = 'running'")
  assert.ok(left.length > 0, 'all was done before the kill')
  // A lease of theirs ends by the server's clock, which is asked to go on rather than waited for.
  await rows("UPDATE $schema.jobs_workers SET expires_at = expires_at - interval '1 hour'")
  const again: string[] = []
  for (;;) {
    const jobs = await claim(backend, 'three', 1_000)
    if (jobs.length === 0) break
    again.push(...jobs.map(({ id }) => id))
    await takeTurn(backend, 'three', { ends: completed(jobs) })
  }
  assert.deepEqual(again.sort(), left.map(({ id }) => id).sort())
  const counts = await backend.inspect.counts()
  assert.deepEqual([counts.completed, counts.available, counts.running], [JOBS, 0, 0])
  // Each was begun by somebody, and twice only if it was in a killed worker's hands.
  const twice = workers.flatMap(({ begun }) => begun).filter((id) => again.includes(id))
  assert.ok(twice.every((id) => taken.some((job) => job.id === id)))
  const crashes = await rows<{ crashes: number; jobs: number }>(
    'SELECT crashes, count(*)::int AS jobs FROM $schema.jobs_ended GROUP BY crashes ORDER BY 1',
  )
  assert.equal(crashes.find((row) => row.crashes === 1)?.jobs ?? 0, taken.length)
})
