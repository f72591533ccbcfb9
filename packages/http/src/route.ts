import type { Static, TSchema } from 'typebox'
import type { Exchange, Reply } from './exchange.ts'
import type { Middleware } from './middleware.ts'

/** The parts of a request that a route describes; what it does not describe it does not accept. */
export interface RouteSchema {
  params?: TSchema
  query?: TSchema
  headers?: TSchema
  body?: TSchema
  /** By status; `204: undefined` for a reply without a body. */
  response: Record<number, TSchema | undefined>
}

type Part<S extends RouteSchema, K extends 'params' | 'query' | 'headers' | 'body'> = S[K] extends TSchema
  ? Static<S[K]>
  : undefined

/** A validated request, as its handler sees it. Texts in params and query are converted to their schema's numbers and booleans. */
export interface RouteRequest<S extends RouteSchema = RouteSchema> {
  params: Part<S, 'params'>
  query: Part<S, 'query'>
  headers: Part<S, 'headers'>
  body: Part<S, 'body'>
  exchange: Exchange
}

/** Methods that routes may have. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * One operation: its address, its schemas, and what it does.
 *
 * A handler returns a `Reply`, or a plain value that is sent as JSON with status 200; a problem it throws or returns.
 */
export interface Route<S extends RouteSchema = RouteSchema> {
  method: Method
  /** `/products/:id` */
  path: string
  /** Unique; the `operationId` of the OpenAPI document. */
  id: string
  summary: string
  description?: string
  tags?: readonly string[]
  schema: S
  /** Steps of this route alone: guards, limits, conditional requests. */
  use?: readonly Middleware[]
  /** Names of the security schemes that a caller must satisfy; none for a public route. */
  security?: readonly string[]
  /** Longest body in bytes. */
  bodyLimit?: number
  handler(request: RouteRequest<S>): Reply | object | Promise<Reply | object>
}

/** Declares a route with the types of its schemas. */
export function route<const S extends RouteSchema>(definition: Route<S>): Route {
  return definition as unknown as Route
}
