import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createHealth, type HealthCheck, type HealthOptions } from '../src/index.ts'

const up: HealthCheck = { name: 'database', check() {} }
const down: HealthCheck = {
  name: 'broker',
  check() {
    throw new Error('connection refused')
  },
}
const healthOf = (checks: HealthCheck[], options: HealthOptions = {}) =>
  createHealth({ checks, clock: new FakeClock(), ...options })

describe('health', () => {
  it('is up when every part is', async () => {
    const clock = new FakeClock()
    const report = await createHealth({ checks: [up], clock }).report()
    assert.deepEqual(report, {
      state: 'up',
      isDraining: false,
      checks: { database: { state: 'up', critical: true, ms: 0, checkedAt: clock.now() } },
    })
  })

  it('is down with the reason when a critical part is', async () => {
    const report = await healthOf([up, down]).report()
    assert.equal(report.state, 'down')
    assert.equal(report.checks['broker']?.reason, 'connection refused')
    assert.equal(report.checks['database']?.state, 'up')
  })

  it('is degraded, and still ready, when a part is down that is not critical', async () => {
    const health = healthOf([up, { ...down, critical: false }])
    assert.equal((await health.report()).state, 'degraded')
    assert.equal(await health.isReady(), true)
  })

  it('is what its parts find, with details', async () => {
    const health = healthOf([
      { name: 'cache', check: () => ({ state: 'degraded', reason: 'far tier away', details: { misses: 3 } }) },
    ])
    const { state, checks } = await health.report()
    assert.equal(state, 'degraded')
    assert.deepEqual([checks['cache']?.reason, checks['cache']?.details], ['far tier away', { misses: 3 }])
  })

  it('takes a part that does not answer in time for down, and tells it to stop', async () => {
    const clock = new FakeClock()
    let told: AbortSignal | undefined
    const hanging: HealthCheck = {
      name: 'database',
      check(signal) {
        told = signal
        return new Promise(() => {})
      },
    }
    const report = createHealth({ checks: [hanging], clock, timeout: '2s' }).report()
    await clock.advance(2_000)
    assert.deepEqual((await report).checks['database']?.reason, 'no answer within 2000 ms')
    assert.ok(told?.aborted)
    assert.equal(clock.pending, 0)
  })

  it('measures how long a check took, and leaves no timer behind', async () => {
    const clock = new FakeClock()
    const slow: HealthCheck = {
      name: 'database',
      check: () => new Promise((resolve) => void clock.after(300, resolve)),
    }
    const report = createHealth({ checks: [slow], clock }).report()
    await clock.advance(300)
    assert.equal((await report).checks['database']?.ms, 300)
    assert.equal(clock.pending, 0)
  })

  it('asks a part once for a flood of probes, and again when the answer is old', async () => {
    const clock = new FakeClock()
    let asked = 0
    const counting: HealthCheck = {
      name: 'database',
      check: async () => void asked++,
    }
    const health = createHealth({ checks: [counting], clock, cacheFor: '1s' })
    await Promise.all(Array.from({ length: 100 }, () => health.isReady()))
    await clock.advance(999)
    await health.report()
    assert.equal(asked, 1)
    await clock.advance(1)
    await health.report()
    assert.equal(asked, 2)
  })

  it('is not ready before the start, nor from the beginning of the drain on', async () => {
    const drain = { isDraining: false }
    const health = healthOf([up], { drain, ready: false })
    assert.equal(await health.isReady(), false)
    health.setReady(true)
    assert.equal(await health.isReady(), true)
    drain.isDraining = true
    assert.equal(await health.isReady(), false)
    assert.equal((await health.report()).state, 'up')
  })

  it('refuses two checks of one name', () => {
    assert.throws(() => healthOf([up, up]), { code: 'E_OPTIONS' })
  })
})
