import assert from 'node:assert/strict'
import type { FarBackend, FarClaim } from '../far/far_backend.ts'
import { acquire, type Clause, put, readOne, textOf } from './subject.ts'

async function claim({ leases }: FarBackend, key: string, token: string, ttl = 10_000): Promise<FarClaim> {
  const [found] = await leases.claim([{ key, token }], ttl)
  return found!
}

/** Reading and taking the lease in one. */
export function claimClauses(clause: Clause): void {
  clause('a claim gives the entry, and takes no lease then', async ({ backend }) => {
    await put(backend, 'a:1', 'one')
    const { version } = await readOne(backend, 'a:1')
    const { reading, lease } = await claim(backend, 'a:1', 'p')
    assert.deepEqual([reading.version, reading.envelope?.toString(), lease], [version, 'one', undefined])
    assert.equal(await acquire(backend, 'a:1', version, 'q', 10_000), 'granted')
  })

  clause('a claim on nothing is granted to one, and again to that one', async ({ backend, pass }) => {
    const nothing = await readOne(backend, 'a:1')
    const claims = await Promise.all(['p', 'q', 'r'].map((token) => claim(backend, 'a:1', token, 5_000)))
    assert.deepEqual(claims.map(({ lease }) => lease).sort(), ['granted', 'held', 'held'])
    assert.deepEqual(
      claims.map(({ reading }) => reading),
      Array(3).fill(nothing),
    )
    const holder = ['p', 'q', 'r'][claims.findIndex(({ lease }) => lease === 'granted')]!
    await pass(4_000)
    assert.equal((await claim(backend, 'a:1', holder, 5_000)).lease, 'granted')
    await pass(4_000)
    assert.equal(await acquire(backend, 'a:1', nothing.version, 's', 5_000), 'held')
    await pass(1_001)
    assert.equal((await claim(backend, 'a:1', 's', 5_000)).lease, 'granted')
  })

  clause('what was loaded under a claim is stored, unless it was invalidated meanwhile', async ({ backend }) => {
    const kept = await claim(backend, 'a:1', 'p')
    assert.equal(await put(backend, 'a:1', 'one', { expected: kept.reading.version, lease: 'p' }), true)
    const lost = await claim(backend, 'a:2', 'p')
    await backend.entries.invalidate(['a:2'])
    assert.equal(await put(backend, 'a:2', 'old', { expected: lost.reading.version, lease: 'p' }), false)
    assert.equal(await textOf(backend, 'a:2'), undefined)
  })

  clause('a claim on a tombstone is granted, with its version', async ({ backend }) => {
    await put(backend, 'a:1', 'one')
    await backend.entries.invalidate(['a:1'])
    const tombstone = await readOne(backend, 'a:1')
    const { reading, lease } = await claim(backend, 'a:1', 'p')
    assert.deepEqual([reading, lease], [tombstone, 'granted'])
    assert.equal((await claim(backend, 'a:1', 'q')).lease, 'held')
    assert.equal(await put(backend, 'a:1', 'two', { expected: reading.version, lease: 'p' }), true)
  })

  clause('of many claims each is answered on its own, in their order', async ({ backend }) => {
    const keys = Array.from({ length: 450 }, (_, index) => `many:${index}`)
    await put(backend, 'many:210', 'one')
    await claim(backend, 'many:430', 'q')
    const claims = await backend.leases.claim(
      keys.map((key) => ({ key, token: 'p' })),
      10_000,
    )
    assert.deepEqual(
      claims.map(({ reading, lease }) => reading.envelope?.toString() ?? lease),
      keys.map((_, index) => (index === 210 ? 'one' : index === 430 ? 'held' : 'granted')),
    )
    assert.deepEqual(await backend.leases.claim([], 10_000), [])
  })
}
