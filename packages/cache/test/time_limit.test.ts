import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { it } from 'node:test'
import { systemClock } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { FarTimeout, within } from '../src/far_tier/time_limit.ts'

it('a call that is not answered in time is given up', async () => {
  const clock = new FakeClock()
  const given = within(clock, 100, () => new Promise<never>(() => {}))
  const failed = assert.rejects(given, FarTimeout)
  await clock.advance(100)
  await failed
  assert.equal(clock.pending, 0)
})

it('an answer that came while the process was held up counts', async () => {
  const server = createServer((socket) => socket.on('data', (bytes) => socket.write(bytes)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1')
  await once(socket, 'connect')
  const answered = within(systemClock, 20, async () => {
    const answer = once(socket, 'data')
    socket.write('ping')
    const until = systemClock.elapsed() + 100
    while (systemClock.elapsed() < until);
    return String((await answer)[0])
  })
  assert.equal(await answered, 'ping')
  socket.destroy()
  server.close()
})
