import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decide, type Rate } from '../src/gcra.ts'

const rates = fc.record({
  limit: fc.integer({ min: 1, max: 1_000 }),
  period: fc.integer({ min: 1_000, max: 3_600_000 }),
  burst: fc.integer({ min: 1, max: 200 }),
})
const request = fc.record({ wait: fc.integer({ min: 0, max: 100_000 }), cost: fc.integer({ min: 1, max: 5 }) })
const requests = fc.array(request, { minLength: 1, maxLength: 200 })

function replay(rate: Rate, list: readonly { wait: number; cost: number }[]) {
  let tat: number | undefined
  let now = 0
  return list.map(({ wait, cost }) => {
    now += wait
    const taken = decide(rate, tat, now, cost)
    tat = taken.tat
    return { now, cost, tat, ...taken.decision }
  })
}

describe('GCRA', () => {
  it('never admits more than burst + rate * t in any span of time', () => {
    fc.assert(
      fc.property(rates, requests, (rate, list) => {
        const admitted = replay(rate, list).filter((taken) => taken.admitted)
        for (let from = 0; from < admitted.length; from++) {
          let units = 0
          for (let to = from; to < admitted.length; to++) {
            units += admitted[to]!.cost
            const span = admitted[to]!.now - admitted[from]!.now
            const allowed = rate.burst + (span * rate.limit) / rate.period
            assert.ok(units <= allowed + 2e-3, `${units} units in ${span} ms, allowed ${allowed}`)
          }
        }
      }),
    )
  })

  it('admits the whole burst at once after silence, and no more', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 1e9 }), (rate, start) => {
        let tat: number | undefined
        for (let unit = 0; unit < rate.burst; unit++) {
          const taken = decide(rate, tat, start, 1)
          assert.ok(taken.decision.admitted)
          assert.equal(taken.decision.remaining, rate.burst - unit - 1)
          tat = taken.tat
        }
        assert.equal(decide(rate, tat, start, 1).decision.admitted, false)
      }),
    )
  })

  it('admits a refused request after the wait it was told, and not before', () => {
    fc.assert(
      fc.property(rates, requests, (rate, list) => {
        for (const taken of replay(rate, list)) {
          if (taken.admitted || taken.cost > rate.burst) continue
          assert.ok(decide(rate, taken.tat, taken.now + taken.retryAfter, taken.cost).decision.admitted)
          const early = taken.now + taken.retryAfter - 0.05 * (rate.period / rate.limit)
          assert.ok(!decide(rate, taken.tat, early, taken.cost).decision.admitted)
        }
      }),
    )
  })

  it('has one unit more after the time it tells', () => {
    fc.assert(
      fc.property(rates, requests, (rate, list) => {
        const last = replay(rate, list).at(-1)!
        if (last.nextAfter === 0) return assert.equal(last.remaining, rate.burst)
        const later = decide(rate, last.tat, last.now + last.nextAfter, 0).decision
        assert.equal(later.remaining, last.remaining + 1)
      }),
    )
  })

  it('keeps nothing of a refused request', () => {
    const rate = { limit: 10, period: 1_000, burst: 1 }
    const first = decide(rate, undefined, 0, 1)
    let tat = first.tat
    for (let i = 0; i < 1_000; i++) tat = decide(rate, tat, 50, 1).tat
    assert.ok(decide(rate, tat, 100, 1).decision.admitted)
  })

  it('never admits what costs more than the burst', () => {
    const { decision } = decide({ limit: 10, period: 1_000, burst: 3 }, undefined, 0, 4)
    assert.deepEqual([decision.admitted, decision.retryAfter], [false, Number.POSITIVE_INFINITY])
  })
})
