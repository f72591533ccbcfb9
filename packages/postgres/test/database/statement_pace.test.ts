import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StatementPace } from '../../src/database/statement_pace.ts'

const WORK = 0.1
const WAITING = 30

describe('the pace of a statement', () => {
  function paceAfter(times: readonly number[]): StatementPace {
    const pace = new StatementPace()
    for (const ms of times) pace.note('list', ms)
    return pace
  }
  const runs = (count: number, ms: number) => Array.from({ length: count }, () => ms)

  it('is told by the work, though most runs wait for the cores', () => {
    const busy = Array.from({ length: 300 }, (_, run) => (run % 3 === 0 ? WORK : WAITING))
    assert.ok(paceAfter(busy).isQuick('list'))
  })

  it('is slow once it has become slow', () => {
    assert.ok(!paceAfter([...runs(50, WORK), ...runs(20, WAITING)]).isQuick('list'))
  })

  it('is quick again after a slow time', () => {
    assert.ok(paceAfter([...runs(50, WAITING), ...runs(8, WORK)]).isQuick('list'))
  })

  it('of one never run is not known', () => {
    assert.ok(!paceAfter([]).isQuick('list'))
  })

  it('is averaged over the quick ones alone', () => {
    const pace = paceAfter(runs(100, WORK))
    for (const ms of runs(100, WAITING)) pace.note('report', ms)
    assert.ok(pace.mean < 1)
  })
})
