import { Type } from 'typebox'
import { unauthenticated } from './bearer.ts'
import type { Reply } from './exchange.ts'
import type { Health } from './health.ts'
import { type Route, route } from './route.ts'

const State = Type.Union([Type.Literal('up'), Type.Literal('degraded'), Type.Literal('down')])
/** For strangers: up or not, and nothing of why. */
const Brief = Type.Object({ status: Type.Union([Type.Literal('up'), Type.Literal('down')]) })
const Report = Type.Object({
  status: State,
  draining: Type.Boolean(),
  checks: Type.Record(
    Type.String(),
    Type.Object({
      status: State,
      critical: Type.Boolean(),
      ms: Type.Number({ description: 'Milliseconds the check took.' }),
      checkedAt: Type.String({ format: 'date-time' }),
      reason: Type.Optional(Type.String()),
      details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    }),
  ),
})

/** Probes and balancers add what they like against caches: a healthy process must not look ill for it. */
const AnyQuery = Type.Object({}, { additionalProperties: true })

/** Answers must be fresh: a cached "up" keeps traffic on a dead process. */
const HEADERS = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }

/**
 * `/health/live` and `/health/ready` for probes, open, and `/health` with each dependency, for whom the health's
 * `authorize` lets in.
 *
 * @param options `security` names the scheme of the OpenAPI document that `/health` asks for
 */
export function healthRoutes(
  health: Health,
  { security = ['bearer'] }: { security?: readonly string[] } = {},
): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/health/live',
      id: 'healthLive',
      summary: 'Whether the process answers at all',
      tags: ['health'],
      schema: { query: AnyQuery, response: { 200: Brief } },
      handler: () => brief(true),
    }),
    route({
      method: 'GET',
      path: '/health/ready',
      id: 'healthReady',
      summary: 'Whether the process wants requests; no longer once it has begun to stop',
      tags: ['health'],
      schema: { query: AnyQuery, response: { 200: Brief, 503: Brief } },
      handler: async () => brief(await health.isReady()),
    }),
    route({
      method: 'GET',
      path: '/health',
      id: 'health',
      summary: 'Each dependency, with its state, its reason and how long its check took',
      tags: ['health'],
      security,
      schema: { query: AnyQuery, response: { 200: Report, 503: Report } },
      async handler({ exchange }) {
        if (!(await health.isAuthorized(exchange))) throw unauthenticated('Health in detail needs a token.')
        return full(health)
      },
    }),
  ]
}

function brief(isUp: boolean): Reply {
  return { status: isUp ? 200 : 503, headers: HEADERS, body: JSON.stringify({ status: isUp ? 'up' : 'down' }) }
}

async function full(health: Health): Promise<Reply> {
  const { state, isDraining, checks } = await health.report()
  const parts = Object.entries(checks).map(([name, { state: status, checkedAt, ms, ...rest }]) => [
    name,
    { status, ...rest, ms: Math.round(ms * 10) / 10, checkedAt: new Date(checkedAt).toISOString() },
  ])
  const body = JSON.stringify({ status: state, draining: isDraining, checks: Object.fromEntries(parts) })
  return { status: state === 'down' ? 503 : 200, headers: HEADERS, body }
}
