import { Nullable, type Route, route } from '@tailwater/http'
import { seriesNames } from '@tailwater/telemetry'
import { Type } from 'typebox'
import { authenticate, guard, notStored } from '../guard.ts'
import { type Desk, SECURITY } from './desk.ts'

const bySeries = <T>(value: T) => Object.fromEntries(seriesNames.map((name) => [name, value])) as Record<string, T>
const at = Type.Number({ description: 'Milliseconds since the Unix epoch.' })

/** One second's values. */
const Point = Type.Object({ at, values: Type.Object(bySeries(Nullable(Type.Number()))) })
/** Several seconds, by column. */
const History = Type.Object({
  at: Type.Array(at),
  series: Type.Object(bySeries(Type.Array(Nullable(Type.Number())))),
})

const tags = ['metrics']

/** What telemetry sees now, and saw before. */
export function metricsRoutes({ mount, options, reads, authenticator }: Desk): Route[] {
  const { telemetry, clock } = options
  const use = [notStored, authenticate(authenticator), ...reads, guard()]
  return [
    route({
      method: 'GET',
      path: `${mount}/api/metrics`,
      id: 'dashboardMetrics',
      summary: 'The newest values of every series',
      description: 'Null where there was nothing to measure, and in the first second after the start.',
      tags,
      security: SECURITY,
      schema: { response: { 200: Point } },
      use,
      handler: () => telemetry.snapshot() ?? { at: clock.now(), values: bySeries(null) },
    }),
    route({
      method: 'GET',
      path: `${mount}/api/metrics/history`,
      id: 'dashboardMetricsHistory',
      summary: 'The values of the last seconds, by column, oldest first',
      tags,
      security: SECURITY,
      schema: {
        query: Type.Object({ seconds: Type.Integer({ minimum: 1, maximum: 86_400, default: 600 }) }),
        response: { 200: History },
      },
      use,
      handler: ({ query }) => telemetry.history(query.seconds),
    }),
  ]
}
