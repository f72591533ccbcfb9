import { openapiDocument, openapiRoute, type Refresh, type Route, referenceRoutes } from '@tailwater/http'
import { type ConnectHandler, connectMiddleware, connectRouter, createReentry } from '@tailwater/http/connect'
import { fastifyMiddleware, fastifyRoutes } from '@tailwater/http/fastify'
import { type FetchHandler, fetchRouter } from '@tailwater/http/fetch'
import type { PlatformParts } from '../platform/start_order.ts'
import { platformVersion } from '../platform/version.ts'
import { refreshOfFastify, refreshOfFetch } from './refresh.ts'

/** What a mount adds to the platform's own routes. */
export interface MountOptions {
  /** Routes of the application, with full paths; they join the platform's behind the same middleware. */
  routes?: readonly Route[]
}

/** Ways to put the platform into an application: its middleware around everything, and its routes (health, dashboard) beside the application's own. */
export interface Mounts {
  /** The platform's own routes. */
  readonly routes: readonly Route[]
  /** A Fastify plugin; register it before the application's own routes. */
  fastify(options?: MountOptions): ReturnType<typeof fastifyRoutes>
  /** A handler for Express 4 and 5, connect, or `http.createServer`; use it before the application's own. */
  express(options?: MountOptions): ConnectHandler
  /** A handler of the Fetch standard that answers the platform's routes and those given. */
  fetch(options?: MountOptions): FetchHandler
}

/** Builds the mounts. */
export function createMounts({ config, surface, dashboard, responses }: PlatformParts): Mounts {
  const { host } = surface
  const middleware = (refresh: Refresh) => [
    ...surface.middleware,
    ...(responses ? [responses.middleware(refresh)] : []),
  ]
  const routes = [...surface.routes, ...dashboard.routes]
  const checkResponses = config.environment !== 'production'
  const withOwn = ({ routes: own = [] }: MountOptions = {}) => described([...own, ...routes], config)
  return {
    routes,
    fastify(options) {
      const answer = fastifyRoutes(withOwn(options), { host, checkResponses })
      const plugin: ReturnType<typeof fastifyRoutes> = (app, given, done) => {
        const around = fastifyMiddleware(middleware(refreshOfFastify(app)), host)
        around(app, given, (error) => (error ? done(error) : answer(app, given, done)))
      }
      // As fastify-plugin does: the hooks are for the whole application, not for a scope of their own.
      return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
    },
    express(options) {
      const reentry = createReentry()
      const around = connectMiddleware(middleware(reentry.refresh), host)
      const answer = connectRouter(withOwn(options), { host, checkResponses })
      return (request, response, next = () => response.writeHead(404).end()) => {
        reentry.see(request)
        around(request, response, (error) => (error ? next(error) : answer(request, response, next)))
      }
    },
    fetch(options) {
      const list = middleware((request) => refreshOfFetch(handle)(request))
      const handle = fetchRouter(withOwn(options), { host, middleware: list, checkResponses })
      return handle
    },
  }
}

/** How callers prove who they are, by the names that routes use. */
const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: "An administrator's token, or what the application accepts." },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'tailwater_session',
    description: "A browser's session after log-in.",
  },
}

/** Adds the OpenAPI document of all routes, and a reference to browse it in. */
function described(routes: readonly Route[], { name, dashboardPath }: PlatformParts['config']): readonly Route[] {
  const documentPath = `${dashboardPath}/api/openapi.json`
  const document = openapiDocument(routes, {
    title: name,
    version: platformVersion(),
    securitySchemes: SECURITY_SCHEMES,
  })
  return [
    ...routes,
    openapiRoute(document, documentPath),
    ...referenceRoutes({
      path: `${dashboardPath}/reference`,
      documentUrl: documentPath,
      title: `${name}: API reference`,
    }),
  ]
}
