import { json, type Route, redirect, route } from '@tailwater/http'
import { Type } from 'typebox'

/** The root: a person who types the bare address is led to the dashboard, a program is told where things are. */
export function indexRoute(dashboardPath: string): Route {
  const links = {
    products: '/api/products',
    openapi: `${dashboardPath}/api/openapi.json`,
    reference: `${dashboardPath}/reference`,
    dashboard: dashboardPath,
    health: '/health/ready',
  }
  return route({
    method: 'GET',
    path: '/',
    id: 'index',
    summary: 'Where things are',
    tags: ['index'],
    schema: {
      // Links carry what other sites have put behind them.
      query: Type.Object({}, { additionalProperties: true }),
      response: {
        200: Type.Object({
          name: Type.String({ examples: ['merchant'] }),
          links: Type.Record(Type.String(), Type.String(), { description: 'Paths on this server, by what is there.' }),
        }),
        302: undefined,
      },
    },
    handler: ({ exchange }) =>
      String(exchange.headers['accept'] ?? '').includes('text/html')
        ? redirect(dashboardPath, 302)
        : json({ name: 'merchant', links }),
  })
}
