import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { freePort, requireProgram } from '@tailwater/core/testing'
import { createRabbitMqBackend } from '../../src/backends/rabbitmq/index.ts'
import { startRabbitMq } from '../../src/testing/rabbitmq/index.ts'

it('speaks TLS to a broker whose authority it is given, and to no other; credentials are asked for each connection', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-rabbitmq-tls-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    requireProgram('openssl'),
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  )
  const port = await freePort()
  const broker = await startRabbitMq({
    settings: [
      `listeners.ssl.default = 127.0.0.1:${port}`,
      `ssl_options.cacertfile = ${certificate}`,
      `ssl_options.certfile = ${certificate}`,
      `ssl_options.keyfile = ${key}`,
    ],
  })
  after(() => broker.stop())
  const url = `amqps://localhost:${port}`
  let asked = 0
  const credentials = async () => {
    asked++
    return { username: 'guest', password: 'guest' }
  }
  const trusting = createRabbitMqBackend({ url, credentials, tls: { ca: readFileSync(certificate) } })
  await trusting.start()
  assert.equal((await trusting.inspect.health()).isUp, true)
  assert.equal(asked, 2)
  await trusting.stop()
  await assert.rejects(createRabbitMqBackend({ url, credentials }).start(), { code: 'E_MESSAGE_UNAVAILABLE' })
})
