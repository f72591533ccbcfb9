import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createService, type Service, startAll, stopAll } from '@tailwater/core'
import { stressLifecycle } from '@tailwater/core/testing'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

it('starts and stops from many callers at once never overlap, and never repeat', async () => {
  const log: string[] = []
  let inside = 0
  const step = async (name: string) => {
    assert.equal(inside++, 0, 'two steps at once')
    await turn()
    inside--
    log.push(name)
  }
  await stressLifecycle(createService('stressed', { start: () => step('start'), stop: () => step('stop') }))
  assert.ok(log.length > 2)
  log.forEach((name, index) => {
    assert.equal(name, index % 2 === 0 ? 'start' : 'stop')
  })
})

it('a second start joins the one in flight', async () => {
  let starts = 0
  const gate = Promise.withResolvers<void>()
  const service = createService('slow', {
    start() {
      starts++
      return gate.promise
    },
    stop() {},
  })
  const both = Promise.all([service.start(), service.start()])
  gate.resolve()
  await both
  assert.equal(starts, 1)
})

it('a failed start leaves the service stopped, and it may be started again', async () => {
  let attempts = 0
  let stops = 0
  const service = createService('flaky', {
    start() {
      if (++attempts === 1) throw new Error('no luck')
    },
    stop() {
      stops++
    },
  })
  await assert.rejects(service.start(), /no luck/)
  await service.stop()
  assert.equal(stops, 0)
  await service.start()
  await service.stop()
  assert.deepEqual([attempts, stops], [2, 1])
})

function recorded(log: string[], name: string, failing?: 'start' | 'stop'): Service {
  const step = (sign: string, kind: 'start' | 'stop') => async () => {
    if (failing === kind) throw new Error(`${name} does not ${kind}`)
    log.push(`${sign}${name}`)
  }
  return { name, start: step('+', 'start'), stop: step('-', 'stop') }
}

it('a failed start stops what had started, last first', async () => {
  const log: string[] = []
  await assert.rejects(
    startAll([recorded(log, 'a'), recorded(log, 'b'), recorded(log, 'c', 'start')]),
    /c does not start/,
  )
  assert.deepEqual(log, ['+a', '+b', '-b', '-a'])
})

it('one that fails to stop does not keep the others from stopping', async () => {
  const log: string[] = []
  await assert.rejects(stopAll([recorded(log, 'a'), recorded(log, 'b', 'stop'), recorded(log, 'c')]), /b does not stop/)
  assert.deepEqual(log, ['-c', '-a'])
})
