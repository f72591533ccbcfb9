import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { reportOf } from '../harness/report.ts'
import { type Measured, type Row, verdictOf } from '../harness/row.ts'

const row = (given: Partial<Row>): Row => ({
  row: 'merchant uncached',
  peer: 'naive Express',
  metric: 'requests/s',
  unit: 'requests/s',
  better: 'higher',
  ours: [750, 760, 740],
  theirs: [10, 10, 10],
  settings: { ours: '', theirs: '' },
  checked: 'all of them',
  ...given,
})
const holds = (measured: Measured) => verdictOf(measured).holds

describe('verdicts', () => {
  it('holds a target on a ratio when the lower end of the interval meets it', () => {
    assert.equal(holds({ row: row({}), target: { kind: 'ratio', atLeast: 70 } }), true)
    assert.equal(holds({ row: row({}), target: { kind: 'ratio', atLeast: 74.5 } }), false)
  })

  it('misses a target that only the mean of noisy rounds meets', () => {
    const noisy = row({ ours: [500, 1_500, 800], theirs: [10, 10, 10] })
    assert.ok(verdictOf({ row: noisy }).ratio!.value > 70)
    assert.equal(holds({ row: noisy, target: { kind: 'ratio', atLeast: 70 } }), false)
  })

  it('holds a target on a level when the upper end of the interval is below it', () => {
    const p95 = row({ unit: 'ms', better: 'lower', ours: [40, 42, 41], theirs: null })
    assert.equal(holds({ row: p95, target: { kind: 'level', atMost: 60 } }), true)
    assert.equal(holds({ row: p95, target: { kind: 'level', atMost: 41.5 } }), false)
  })

  it('holds a target on a count when every round reaches it', () => {
    const score = row({ ours: [159, 157], theirs: [100, 100] })
    assert.equal(holds({ row: score, target: { kind: 'count', atLeast: 157 } }), true)
    assert.equal(holds({ row: score, target: { kind: 'count', atLeast: 158 } }), false)
    assert.match(
      reportOf([{ row: { ...score, unit: 'of 160' }, target: { kind: 'count', atLeast: 135 } }]),
      />= 135 of 160 +met/,
    )
  })

  it('gives no verdict without a target', () => {
    assert.equal(holds({ row: row({}) }), undefined)
  })

  it('misses a target on a ratio that has nobody to compare with', () => {
    assert.equal(holds({ row: row({ theirs: null }), target: { kind: 'ratio', atLeast: 1 } }), false)
  })

  it('holds a target on a lead by the mean of the differences and the worst of them', () => {
    const points = row({ unit: 'points', ours: [60, 70, 80], theirs: [55, 69, 81] })
    assert.equal(holds({ row: points, target: { kind: 'lead', mean: 1.6, worst: -1 } }), true)
    assert.equal(holds({ row: points, target: { kind: 'lead', mean: 1.7, worst: -1 } }), false)
    assert.equal(holds({ row: points, target: { kind: 'lead', mean: 1.6, worst: -0.9 } }), false)
    const inverse = { ...points, better: 'lower' as const }
    assert.deepEqual(verdictOf({ row: inverse }).lead, { mean: -5 / 3, worst: -5 })
  })

  it('shows a lead as a difference, with a target or without', () => {
    const points = row({ unit: 'points', ours: [60, 70], theirs: [55, 71] })
    assert.match(
      reportOf([{ row: points, target: { kind: 'lead', mean: 2, worst: -1.5 } }]),
      /\+2\.00 points, worst -1\.00 +>= \+2\.00, worst -1\.50 +met/,
    )
    assert.match(reportOf([{ row: points, isLead: true }]), /\+2\.00 points, worst -1\.00\n/)
  })

  it('says in the table what is missed', () => {
    const report = reportOf([
      { row: row({}), target: { kind: 'ratio', atLeast: 70 } },
      { row: row({ ours: [600, 610, 620] }), target: { kind: 'ratio', atLeast: 70 } },
    ])
    assert.match(report, /75 \(7[0-9.]+–7[0-9.]+\) x +>= 70 x +met/)
    assert.match(report, /61 \([0-9.]+–[0-9.]+\) x +>= 70 x +MISSED/)
  })
})
