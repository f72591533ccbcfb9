import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createMemoryBackend } from '../../src/far/memory_backend.ts'
import { chaos, farBackendContract } from '../../src/testing/index.ts'

function open() {
  const clock = new FakeClock()
  const memory = createMemoryBackend({ clock })
  return { clock, memory, far: chaos(memory, { clock }) }
}

const write = { key: 'a:1', envelope: Buffer.from('one'), ttl: 60_000 }
const isThere = async ({ entries }: ReturnType<typeof open>['far']) =>
  (await entries.read(['a:1']))[0]!.envelope !== undefined

farBackendContract('chaos at rest', {
  async open() {
    const { clock, far } = open()
    return { backend: far, pass: (ms) => clock.advance(ms), close: () => far.stop() }
  },
  except: {
    "a load under a lease does not land when the invalidation's tombstone was lost": 'loses nothing',
    'a tag that was lost has a number that no entry from before its last invalidation carries': 'loses nothing',
  },
})

it('a failing store rejects every call and does nothing, until it is healed', async () => {
  const { far } = open()
  far.fail(new Error('broken'))
  await assert.rejects(far.entries.write([write]), /broken/)
  await assert.rejects(far.tags.now(), /broken/)
  await assert.rejects(far.leases.release('a:1', 'p'), /broken/)
  await assert.rejects(far.browser.clear(), /broken/)
  await assert.rejects(far.ping(), /broken/)
  await assert.rejects(far.time(), /broken/)
  far.heal()
  assert.equal(await isThere(far), false)
  assert.deepEqual(far.calls, [
    'entries.write',
    'tags.now',
    'leases.release',
    'browser.clear',
    'ping',
    'time',
    'entries.read',
  ])
})

it('a call whose answer is lost was done', async () => {
  const { far } = open()
  far.loseAnswers()
  await assert.rejects(far.entries.write([write]), /lost/)
  far.heal()
  assert.equal(await isThere(far), true)
})

it('a slow store does a call when its time has come', async () => {
  const { far, memory, clock } = open()
  far.delay(250)
  const writing = far.entries.write([write])
  await clock.advance(249)
  assert.equal((await memory.entries.read(['a:1']))[0]!.envelope, undefined)
  await clock.advance(1)
  assert.deepEqual(await writing, [true])
})

it('a frozen store answers nothing until it is healed, and then everything', async () => {
  const { far, memory } = open()
  far.freeze()
  const writing = far.entries.write([write])
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await memory.entries.read(['a:1']))[0]!.envelope, undefined)
  far.heal()
  assert.deepEqual(await writing, [true])
})
