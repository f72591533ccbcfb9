import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireProgram } from '@tailwater/core/testing'
import { redisError } from '../errors.ts'
import { startServer, type TestRedis, type TestRedisOptions } from './test_redis.ts'

/** A test server that speaks TLS only. */
export interface TestRedisTls extends TestRedis {
  /** The self-signed certificate, as a client's certificate authority. */
  readonly ca: Buffer
}

/** Starts a Redis server that speaks TLS only, with a certificate made for it by openssl. */
export async function startRedisTls(options: TestRedisOptions = {}): Promise<TestRedisTls> {
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-redis-tls-'))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  makeCertificate(key, certificate)
  const ca = readFileSync(certificate)
  const listen = (port: number) => [
    ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'],
    ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate],
  ]
  const server = await startServer(options, listen, { ca })
  // Not a spread of the server: its pid changes with each restart.
  return Object.assign(Object.create(server) as TestRedis, {
    ca,
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  })
}

function makeCertificate(key: string, certificate: string): void {
  const openssl = requireProgram('openssl')
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    ...subject,
  ]
  const { status, stderr } = spawnSync(openssl, [...args, '-keyout', key, '-out', certificate], { encoding: 'utf8' })
  if (status !== 0) throw redisError('E_REDIS_UNAVAILABLE', `openssl could not make a certificate: ${stderr.trim()}`)
}
