import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createProgressLine } from '../../src/terminal/progress_line.ts'

function terminal(isTTY: boolean) {
  const written: string[] = []
  return { isTTY, columns: 80, written, write: (text: string) => void written.push(text) }
}

it('on a terminal the bar is drawn over itself, not more often than the eye sees', async () => {
  const output = terminal(true)
  const clock = new FakeClock()
  const line = createProgressLine(output, clock)
  for (let done = 0; done < 50; done++) line.report({ done, total: 100, label: 'orders' })
  assert.equal(output.written.length, 1)
  await clock.advance(100)
  line.report({ done: 50, total: 100, label: 'orders' })
  assert.match(output.written[1] ?? '', /^\r {2}█{14}░{14} {2}50 % {2}orders/)
  line.report({ done: 100, total: 100, label: 'orders' })
  line.end()
  assert.match(output.written.join(''), /100 %.*\n$/)
})

it('without a terminal it is a line now and then, and the end', async () => {
  const output = terminal(false)
  const clock = new FakeClock()
  const line = createProgressLine(output, clock)
  line.report({ done: 0, total: 10, label: 'orders' })
  line.report({ done: 5, total: 10, label: 'orders' })
  await clock.advance(5_000)
  line.report({ done: 6, total: 10, label: 'orders' })
  line.report({ done: 10, total: 10, label: 'orders' })
  line.end()
  assert.deepEqual(
    output.written.map((text) => text.trim().split(/\s{2,}/)[0]),
    ['0 %', '60 %', '100 %'],
  )
})

it('nothing to do is done at once', () => {
  const output = terminal(false)
  createProgressLine(output, new FakeClock()).report({ done: 0, total: 0, label: 'orders' })
  assert.match(output.written[0] ?? '', /100 %/)
})
