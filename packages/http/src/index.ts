export { bearerToken, unauthenticated } from './bearer.ts'
export type { BodySource } from './body_source.ts'
export { type ClientResolver, type ClientResolverOptions, createClientResolver, type Peer } from './client_resolver.ts'
export type { HttpErrorCode } from './errors.ts'
export type { ClientView, Exchange, HeaderMap, Outcome, Reply } from './exchange.ts'
export { toProblem } from './fault.ts'
export type { Middleware } from './middleware.ts'
export type { OperationOptions } from './operation.ts'
export type { HostOptions } from './options.ts'
export { type FieldError, HttpProblem, type ProblemBody, type ProblemExtras, problem, problemReply } from './problem.ts'
export { isReply, json, noContent, type ReplyInit, redirect, stream, text } from './reply.ts'
export { outgoingHeaders, type RequestIdTrust } from './request_context.ts'
export { type Method, type Route, type RouteRequest, type RouteSchema, route } from './route.ts'
export { Day, Decimal, Email, Id, Int32, Nullable, OneOf, Text, Timestamp, Uuid } from './schemas.ts'
export { type SseEvent, type SseOptions, sse } from './sse.ts'
export {
  createTokens,
  type IssuedToken,
  type TokenClaims,
  type TokenRequest,
  type Tokens,
  type TokensOptions,
} from './tokens.ts'
