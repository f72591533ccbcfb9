import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createKeyring, hasCode } from '@tailwater/core'
import { createJobs } from '@tailwater/jobs'
import { engine, nextAttempt } from './testing/engine.ts'

const keyring = createKeyring(['a secret of the tests, long enough'])

it('one word encrypts all kinds but those that say otherwise, also of kinds that only another process knows', async () => {
  const { jobs, backend, clock } = engine({ keyring, encrypt: true, concurrency: 0 })
  const closed = await jobs.define<object>({ kind: 'closed', run: () => 0 }).enqueue({ iban: 'DE00' })
  const open = await jobs.define<object>({ kind: 'open', encrypted: false, run: () => 0 }).enqueue({ n: 1 })
  const { id: foreign } = await jobs.operate.add({ kind: 'foreign', payload: { iban: 'DE01' } })
  const stored = async (id: string) => (await backend.inspect.get(id))!.payload
  assert.match(await stored(closed), /^"tw-enc1:/)
  assert.equal(await stored(open), '{"n":1}')
  assert.match(await stored(foreign), /^"tw-enc1:/)

  // A process that encrypts nothing itself, and has the keys.
  const { jobs: other } = engine({ backend, clock, keyring })
  const seen: unknown[] = []
  for (const kind of ['closed', 'open', 'foreign'])
    other.define<object>({ kind, run: ({ payload }) => void seen.push(payload) })
  const last = nextAttempt(() => seen.length === 3)
  await other.start()
  await last
  assert.deepEqual(seen, [{ iban: 'DE00' }, { n: 1 }, { iban: 'DE01' }])
})

it('without keys nothing can be encrypted, and that is said at once', () => {
  assert.throws(
    () => createJobs({ encrypt: true }),
    (error) => hasCode(error, 'E_OPTIONS') && /keyring/.test(error.message),
  )
})
