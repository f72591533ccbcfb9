import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  backgroundError,
  createLeader,
  createMemoryLeases,
  type Leadership,
  type LeaseStore,
  listen,
} from '@tailwater/core'
import { FakeClock, stressLifecycle } from '@tailwater/core/testing'

const TTL = 3_000

/** Candidates of one lease store; time passes for all of them and for the store together. */
function election({ leases: wrap = (store: LeaseStore) => store } = {}) {
  const clock = new FakeClock()
  const store = createMemoryLeases({ clock })
  const leases = wrap(store)
  function candidate(holder: string, extra: { work?: (term: Leadership) => Promise<void>; clock?: FakeClock } = {}) {
    const terms: Leadership[] = []
    const ends: bigint[] = []
    const leader = createLeader({
      leases,
      name: 'relay',
      holder,
      ttl: TTL,
      clock: extra.clock ?? clock,
      onElected(term) {
        terms.push(term)
        return extra.work?.(term)
      },
      onDeposed: () => void ends.push(terms.at(-1)!.epoch),
    })
    return { leader, terms, ends }
  }
  return { clock, store, candidate }
}

describe('a leader', () => {
  it('is one of the candidates, and stays it while it renews', async () => {
    const { clock, candidate } = election()
    const [a, b] = [candidate('a'), candidate('b')]
    await Promise.all([a.leader.start(), b.leader.start()])
    await clock.advance(10 * TTL)
    assert.deepEqual([a.terms.length, b.terms.length, a.ends.length], [1, 0, 0])
    assert.equal(a.leader.current()?.epoch, a.terms[0]?.epoch)
    assert.equal(b.leader.current(), undefined)
    await Promise.all([a.leader.stop(), b.leader.stop()])
    assert.equal(clock.pending, 0)
  })

  it('gives the lease back when it stops, and the next has a greater epoch', async () => {
    const { clock, candidate } = election()
    const [a, b] = [candidate('a'), candidate('b')]
    await a.leader.start()
    await clock.advance(1)
    await b.leader.start()
    await a.leader.stop()
    assert.equal(a.terms[0]?.signal.aborted, true)
    await clock.advance(TTL / 3)
    assert.ok(b.terms[0] && a.terms[0] && b.terms[0].epoch > a.terms[0].epoch)
    await b.leader.stop()
  })

  it('goes on while the store is away, and steps down before the lease can have expired', async () => {
    let isAway = false
    const away = () => Promise.reject(new Error('away'))
    const { clock, store, candidate } = election({
      leases: (inner) => ({
        ...inner,
        renew: (lease, ttl) => (isAway ? away() : inner.renew(lease, ttl)),
        release: (lease) => (isAway ? away() : inner.release(lease)),
      }),
    })
    const errors: string[] = []
    const stopListening = listen(backgroundError, ({ source }) => errors.push(source))
    const { leader, terms, ends } = candidate('a')
    await leader.start()
    await clock.advance(TTL)
    isAway = true
    await clock.advance(TTL / 2)
    assert.ok(leader.current())
    while (leader.current()) {
      assert.equal(await store.acquire('relay', 'b', TTL), undefined, 'the lease went to another while this one led')
      await clock.advance(10)
    }
    assert.equal(await store.acquire('relay', 'b', TTL), undefined, 'no margin was left')
    assert.deepEqual([terms[0]?.signal.aborted, ends.length], [true, 1])
    assert.ok(errors.includes('leader relay'))
    await leader.stop()
    stopListening()
  })

  it('counts from when it asked, not from when the answer came', async () => {
    const slow = Promise.withResolvers<void>()
    const { clock, candidate } = election({
      leases: (inner) => ({
        ...inner,
        async acquire(...request) {
          const lease = await inner.acquire(...request)
          await slow.promise
          return lease
        },
      }),
    })
    const { leader, terms } = candidate('a')
    await leader.start()
    await clock.advance(TTL)
    slow.resolve()
    await clock.advance(0)
    assert.deepEqual([terms.length, leader.current()], [0, undefined])
    await leader.stop()
  })

  it('gives back a lease that was granted after it had stopped', async () => {
    const slow = Promise.withResolvers<void>()
    const { clock, store, candidate } = election({
      leases: (inner) => ({
        ...inner,
        async acquire(...request) {
          const lease = await inner.acquire(...request)
          await slow.promise
          return lease
        },
      }),
    })
    const { leader, terms } = candidate('a')
    await leader.start()
    const stopped = leader.stop(clock.elapsed())
    await clock.advance(0)
    await stopped
    slow.resolve()
    await clock.advance(0)
    assert.equal(terms.length, 0)
    assert.ok(await store.acquire('relay', 'b', TTL))
  })

  it('that was frozen knows by its own clock that its term is over, before any timer has fired', async () => {
    const own = new FakeClock()
    const { clock, candidate } = election()
    const frozen = candidate('a', { clock: own })
    const other = candidate('b')
    await frozen.leader.start()
    await own.advance(1)
    await other.leader.start()
    await clock.advance(TTL + TTL / 3)
    assert.ok(other.leader.current())
    await own.advance(TTL)
    assert.deepEqual([frozen.leader.current(), frozen.terms[0]?.signal.aborted], [undefined, true])
    assert.ok(other.leader.current())
    await Promise.all([frozen.leader.stop(), other.leader.stop()])
  })

  it('whose lease was taken over steps down at its next renewal', async () => {
    const { clock, store, candidate } = election()
    const { leader, terms } = candidate('a')
    await leader.start()
    await clock.advance(1)
    const held = await store.acquire('relay', 'a', TTL)
    await store.release(held!)
    await store.acquire('relay', 'b', TTL)
    await clock.advance(TTL / 3)
    assert.deepEqual([leader.current(), terms[0]?.signal.aborted], [undefined, true])
    await leader.stop()
  })

  it('resigns on request or when its work fails, and stands again later', async () => {
    const { clock, candidate } = election()
    const { leader, terms } = candidate('a', {
      work: async (term) => {
        if (term.epoch === 1n) throw new Error('broken work')
      },
    })
    await leader.start()
    await clock.advance(1)
    assert.equal(leader.current(), undefined)
    await clock.advance(TTL / 3)
    assert.equal(leader.current()?.epoch, 2n)
    leader.resign()
    assert.equal(leader.current(), undefined)
    await clock.advance(TTL / 3)
    assert.deepEqual(
      terms.map(({ epoch }) => epoch),
      [1n, 2n, 3n],
    )
    await leader.stop()
  })

  it('keeps the lease until its work has ended', async () => {
    const { clock, store, candidate } = election()
    const done = Promise.withResolvers<void>()
    const { leader } = candidate('a', { work: () => done.promise })
    await leader.start()
    await clock.advance(1)
    const stopped = leader.stop(clock.elapsed() + TTL)
    await clock.advance(1)
    assert.equal(await store.acquire('relay', 'b', TTL), undefined)
    done.resolve()
    await stopped
    assert.ok(await store.acquire('relay', 'b', TTL))
  })

  it('stops at the deadline although its work or the store hangs', async () => {
    const { clock, candidate } = election({
      leases: (inner) => ({ ...inner, renew: () => new Promise(() => {}) }),
    })
    const { leader } = candidate('a', { work: () => new Promise(() => {}) })
    await leader.start()
    await clock.advance(TTL / 2)
    const stopped = leader.stop(clock.elapsed() + 100)
    await clock.advance(100)
    await stopped
    assert.equal(clock.pending, 0)
  })

  it('can be started and stopped at any time', async () => {
    const { candidate } = election()
    await stressLifecycle(candidate('a').leader)
  })
})
