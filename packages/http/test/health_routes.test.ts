import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { fetchRouter } from '@tailwater/http/fetch'
import {
  bearerToken,
  createDrain,
  createHealth,
  type HealthCheck,
  healthRoutes,
  openapiDocument,
} from '../src/index.ts'

const broken: HealthCheck = {
  name: 'broker',
  check() {
    throw new Error('connect ECONNREFUSED 10.0.0.5:5672')
  },
}

function served(checks: readonly HealthCheck[], secret?: string) {
  const drain = createDrain()
  const authorize = ({ headers }: { headers: Parameters<typeof bearerToken>[0] }) => bearerToken(headers) === secret
  const health = createHealth({ checks, drain, clock: new FakeClock(), ...(secret !== undefined && { authorize }) })
  const answer = fetchRouter(healthRoutes(health), { checkResponses: true })
  return {
    drain,
    async ask(path: string, token?: string) {
      const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
      const response = await answer(new Request(`http://shop.example${path}`, { headers }))
      return { status: response.status, cache: response.headers.get('cache-control'), body: await response.json() }
    },
  }
}

describe('the health routes', () => {
  it('say that the process lives, whatever it depends on', async () => {
    assert.deepEqual(await served([broken]).ask('/health/live'), {
      status: 200,
      cache: 'no-store',
      body: { status: 'up' },
    })
  })

  it('answer a probe whatever it adds to the address', async () => {
    for (const path of ['/health/live?t=1', '/health/ready?from=balancer&t=1', '/health?pretty'])
      assert.equal((await served([], 'key').ask(path, 'key')).body.status, 'up', path)
  })

  it('tell strangers that it is not ready, and not why', async () => {
    assert.deepEqual(await served([broken]).ask('/health/ready'), {
      status: 503,
      cache: 'no-store',
      body: { status: 'down' },
    })
    assert.equal((await served([]).ask('/health/ready')).status, 200)
  })

  it('say not ready, and still alive, from the beginning of the drain', async () => {
    const { drain, ask } = served([])
    drain.begin()
    assert.equal((await ask('/health/ready')).status, 503)
    assert.equal((await ask('/health/live')).status, 200)
  })

  it('show each dependency with its reason to whom they may', async () => {
    const { ask } = served(
      [broken, { name: 'cache', critical: false, check: () => ({ state: 'degraded', reason: 'slow' }) }],
      's3cret',
    )
    const { status, body } = await ask('/health', 's3cret')
    assert.equal(status, 503)
    assert.deepEqual(body, {
      status: 'down',
      draining: false,
      checks: {
        broker: {
          status: 'down',
          reason: 'connect ECONNREFUSED 10.0.0.5:5672',
          critical: true,
          ms: 0,
          checkedAt: '2030-01-01T00:00:00.000Z',
        },
        cache: { status: 'degraded', reason: 'slow', critical: false, ms: 0, checkedAt: '2030-01-01T00:00:00.000Z' },
      },
    })
  })

  it('show nothing to anybody else, and nothing to anybody without an authorize function', async () => {
    for (const [secret, token] of [
      ['s3cret', undefined],
      ['s3cret', 'wrong'],
      [undefined, 's3cret'],
    ] as const) {
      const { status, body } = await served([broken], secret).ask('/health', token)
      assert.equal(status, 401)
      assert.ok(!JSON.stringify(body).includes('10.0.0.5'))
    }
  })

  it('are part of the API description', () => {
    const security = { bearer: { type: 'http', scheme: 'bearer' } } as const
    const document = openapiDocument(healthRoutes(createHealth()), {
      title: 'Shop',
      version: '1',
      securitySchemes: security,
    } as never)
    assert.ok(JSON.stringify(document).includes('/health/ready'))
  })
})
