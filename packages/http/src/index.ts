export type { ClientView, Exchange, HeaderMap, Outcome, Reply } from './exchange.ts'
export type { Middleware } from './middleware.ts'
export { type Method, type Route, type RouteRequest, type RouteSchema, route } from './route.ts'
