import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Service } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { runUntilSignal } from 'tailwater'

/** A service whose start and stops end when the test says so. */
function gated() {
  const started = Promise.withResolvers<void>()
  const stops: { deadline: number | undefined; end: PromiseWithResolvers<void> }[] = []
  const service: Service = {
    name: 'gated',
    start: () => started.promise,
    stop(deadline) {
      const end = Promise.withResolvers<void>()
      stops.push({ deadline, end })
      return end.promise
    },
  }
  return { service, started, stops }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function running({ drainTime }: { drainTime?: number } = {}) {
  const clock = new FakeClock()
  const lines: string[] = []
  const gates = gated()
  const code = runUntilSignal(gates.service, {
    clock,
    say: (line) => lines.push(line),
    ...(drainTime === undefined ? {} : { drainTime }),
  })
  return { clock, lines, code, ...gates }
}

const press = async () => {
  process.emit('SIGINT')
  await turn()
}

it('three signals at once are one: what is in flight has its drain time', async () => {
  const { clock, code, started, stops, lines } = running({ drainTime: 5_000 })
  started.resolve()
  await turn()
  await press()
  process.emit('SIGTERM')
  await clock.advance(1_999)
  await press()
  assert.deepEqual(
    stops.map(({ deadline }) => deadline),
    [5_000],
  )
  stops[0]!.end.resolve()
  assert.equal(await code, 0)
  assert.match(lines[0]!, /requests in flight are finished first/)
  assert.match(lines[1]!, /Stopped in 2\.0 s/)
})

it('a later second Ctrl-C ends the wait, and closes what it can', async () => {
  const { clock, code, started, stops, lines } = running()
  started.resolve()
  await turn()
  await press()
  await clock.advance(2_001)
  await press()
  assert.deepEqual(
    stops.map(({ deadline }) => deadline),
    [15_000, 2_001],
  )
  await clock.advance(2_000)
  assert.equal(await code, 130)
  assert.equal(lines.at(-1), 'Stopped at once.')
})

it('a stop that fails is told, and the exit code is 1', async () => {
  const { code, started, stops, lines } = running()
  started.resolve()
  await turn()
  await press()
  stops[0]!.end.reject(new Error('the disk is full'))
  assert.equal(await code, 1)
  assert.equal(lines.at(-1), 'Stopped, but not cleanly: the disk is full')
})

it('a start that fails stops what had started, and its error is the one that is told', async () => {
  const { code, started, stops } = running()
  started.reject(new Error('the port is taken'))
  await turn()
  stops[0]!.end.reject(new Error('and it does not stop'))
  await assert.rejects(code, /the port is taken/)
})

it('a signal during the start stops at once what is up, and again what came up meanwhile', async () => {
  const { code, started, stops } = running()
  await press()
  assert.equal(stops.length, 1)
  stops[0]!.end.resolve()
  await turn()
  started.resolve()
  await turn()
  assert.equal(stops.length, 2)
  stops[1]!.end.resolve()
  assert.equal(await code, 0)
})
