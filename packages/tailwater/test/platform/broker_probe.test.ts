import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hasCode, systemClock } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { probeBroker } from '../../src/platform/broker_probe.ts'
import { AMQP_GREETING, fakeBroker } from './broker.ts'

const refusal = (pattern: RegExp) => (error: unknown) =>
  hasCode(error, 'E_BROKER_UNAVAILABLE') && pattern.test(error.message) && !/hunter2/.test(JSON.stringify(error))

it('a server that answers with an AMQP method frame is a broker', async () => {
  const { port, heard } = await fakeBroker(AMQP_GREETING)
  await probeBroker(`amqp://u:hunter2@127.0.0.1:${port}`, systemClock)
  assert.equal(heard[0]?.toString('latin1'), 'AMQP\0\0\u0009\u0001')
})

it('a server that speaks something else is none, and its credentials are not told', async () => {
  const { port } = await fakeBroker(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))
  const url = `amqp://u:hunter2@127.0.0.1:${port}`
  await assert.rejects(
    probeBroker(url, systemClock),
    refusal(new RegExp(`127\\.0\\.0\\.1:${port} .*does not speak AMQP`)),
  )
})

it('a server that hangs up is none', async () => {
  const { port } = await fakeBroker(undefined)
  await assert.rejects(probeBroker(`amqp://127.0.0.1:${port}`, systemClock), refusal(/connection was closed/))
})

it('a server that says nothing is given up after five seconds', async () => {
  const clock = new FakeClock()
  const { port } = await fakeBroker(Buffer.alloc(0))
  const probed = probeBroker(`amqp://127.0.0.1:${port}`, clock)
  void clock.advance(5_000)
  await assert.rejects(probed, refusal(/no answer in 5000 ms/))
})

it('nobody at the address is none; the brackets of an IPv6 address are not part of it', async () => {
  await assert.rejects(
    probeBroker('amqp://[::1]:1', systemClock),
    refusal(/at ::1:1 \(connect (ECONNREFUSED|EADDRNOTAVAIL)/),
  )
})
