import { openapiDocument, openapiRoute, type Route, referenceRoutes } from '@tailwater/http'
import { CSRF_HEADER } from '../cross_site.ts'
import { authenticate, guard } from '../guard.ts'
import type { Desk } from './desk.ts'

const securitySchemes = {
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'tailwater_session',
    description: `Set by auth/login; over https its name is __Host-tailwater. Changes also need the header ${CSRF_HEADER}.`,
  },
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From auth/token, for 24 hours.' },
}

/** The admin API's own description, and the page to browse it: for those who may use it. */
export function describedBy({ mount, options, reads, authenticator }: Desk, routes: readonly Route[]): Route[] {
  const document = openapiDocument(routes, {
    title: 'Tailwater admin API',
    version: options.version,
    description: 'What the dashboard shows and does, for programs.',
    securitySchemes,
  })
  const own = [
    openapiRoute(document, `${mount}/api/openapi.json`),
    ...referenceRoutes({
      path: `${mount}/reference`,
      documentUrl: `${mount}/api/openapi.json`,
      title: 'Tailwater admin API',
    }),
  ]
  // An application describes its own API by the same routes: here they get ids of their own.
  return own.map((route) => ({
    ...route,
    id: `dashboard-${route.id}`,
    use: [authenticate(authenticator), ...reads, guard(), ...(route.use ?? [])],
  }))
}
