import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { createKeyring } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import type { HostOptions, ProblemBody } from '@tailwater/http'
import { fastifyDefaults, fastifyRoutes } from '@tailwater/http/fastify'
import { createTestSchema } from '@tailwater/postgres/testing'
import { createTelemetry } from '@tailwater/telemetry'
import Fastify from 'fastify'
import { createAccounts } from '../src/server/accounts/accounts.ts'
import { dashboardMigrations } from '../src/server/accounts/migrations.ts'
import { createDashboard } from '../src/server/dashboard.ts'
import type { DashboardOptions } from '../src/server/options.ts'

export const EMAIL = 'ada@example.com'
export const PASSWORD = 'correct horse battery'

/** What the operations answer, taken together. */
export interface AnyBody {
  user: { email: string; role: string; mustChangePassword: boolean }
  csrf: string
  token: string
  expiresAt: string
  at: number
  values: Record<string, number | null>
}

/** A request with its cookies, and what came back. */
export interface Answer {
  status: number
  headers: Headers
  body: AnyBody
  problem: ProblemBody
}

/** How a request differs from a browser's own. */
export interface Ask {
  body?: unknown
  headers?: Record<string, string>
  cookie?: string
}

/** A dashboard that listens, with accounts on a schema of its own. */
export async function openDashboard(
  t: TestContext,
  options: Partial<DashboardOptions> & { host?: HostOptions; realClock?: boolean } = {},
) {
  const { host = {}, realClock = false, ...rest } = options
  const schema = await createTestSchema({ modules: [dashboardMigrations] })
  const clock = new FakeClock()
  const timing = realClock ? {} : { clock }
  const accounts = createAccounts({
    database: schema.database,
    schema: schema.schema,
    keyring: createKeyring(['x'.repeat(40)]),
    ...timing,
  })
  const telemetry = createTelemetry(timing)
  const dashboard = createDashboard({
    accounts,
    telemetry,
    database: schema.database,
    version: '1.2.3',
    ...timing,
    ...rest,
  })
  const app = Fastify(fastifyDefaults(host))
  await app.register(fastifyRoutes(dashboard.routes, { host, checkResponses: true }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  await telemetry.start()
  await dashboard.start()
  t.after(async () => {
    await dashboard.stop()
    await app.close()
    await telemetry.stop()
    await schema.close()
  })
  const origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const ask = (method: string, path: string, { body, headers = {}, cookie }: Ask = {}) =>
    send(`${origin}${path}`, method, { body, headers, ...(cookie ? { cookie } : {}) })

  return {
    clock,
    accounts,
    telemetry,
    dashboard,
    origin,
    database: schema.database,
    schema: schema.schema,
    ask,
    get: (path: string, more?: Ask) => ask('GET', path, more),
    post: (path: string, body?: unknown, more?: Ask) => ask('POST', path, { body, ...more }),
    /** Logs in and gives back what later requests send. */
    async logIn(email = EMAIL, password = PASSWORD) {
      const answer = await ask('POST', '/tailwater/api/auth/login', { body: { email, password } })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      const cookie = answer.headers.getSetCookie()[0]!.split(';')[0]!
      return { cookie, headers: { 'x-tailwater-csrf': answer.body.csrf }, answer }
    },
  }
}

async function send(url: string, method: string, { body, headers, cookie }: Ask): Promise<Answer> {
  const reply = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(cookie ? { cookie } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await reply.text()
  const isJson = reply.headers.get('content-type')?.includes('json')
  const parsed = isJson ? JSON.parse(text) : text
  return { status: reply.status, headers: reply.headers, body: parsed, problem: parsed }
}
