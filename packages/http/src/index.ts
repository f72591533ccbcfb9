export { negotiateCoding, parseWeighted, type WeightedValue } from './accept.ts'
export { bearerToken, unauthenticated } from './bearer.ts'
export type { BodySource } from './body_source.ts'
export { addressGroup, byAddress, byHeader, type ClientKey, firstOf } from './client_key.ts'
export { type ClientResolver, type ClientResolverOptions, createClientResolver, type Peer } from './client_resolver.ts'
export { isCompressible } from './compressible.ts'
export { type CompressionOptions, compression, resolveCompressionOptions } from './compression.ts'
export {
  type ConditionalOptions,
  type CurrentVersion,
  conditional,
  requireVersion,
  resolveConditionalOptions,
  setLastModified,
  versionTag,
} from './conditional.ts'
export { type ContentCoding, hasZstd } from './content_coding.ts'
export { DEFAULT_DIRECTIVES, type PolicyDirectives } from './content_security_policy.ts'
export { type AllowedOrigins, type CorsOptions, cors, resolveCorsOptions } from './cors.ts'
export { createDrain, type Drain } from './drain.ts'
export type { HttpErrorCode } from './errors.ts'
export { createEventLoopProbe, type EventLoopProbe, type EventLoopReading } from './event_loop_probe.ts'
export type { ClientView, Exchange, HeaderMap, Outcome, Reply } from './exchange.ts'
export { toProblem } from './fault.ts'
export { createFields, type Fields, fieldsQuery, type Selection, selectColumns } from './fields.ts'
export { decide, type Rate, type RateDecision } from './gcra.ts'
export { type HardenServerOptions, hardenServer, resolveHardenServerOptions } from './harden_server.ts'
export { addVary } from './header.ts'
export { createHealth, type Health, type HealthOptions, type HealthReport, resolveHealthOptions } from './health.ts'
export type { CheckedHealth, HealthCheck, HealthFinding, HealthState } from './health_check.ts'
export { healthRoutes } from './health_routes.ts'
export { type RequestLimitsOptions, requestLimits, resolveRequestLimitsOptions } from './limits.ts'
export type { Middleware } from './middleware.ts'
export { type OpenapiDocument, type OpenapiOptions, openapiDocument } from './openapi/document.ts'
export { openapiRoute } from './openapi/document_route.ts'
export { type ReferenceOptions, referenceRoutes } from './openapi/reference_routes.ts'
export type { OperationOptions } from './operation.ts'
export type { HostOptions } from './options.ts'
export {
  type OverloadOptions,
  type OverloadProtection,
  type OverloadState,
  overload,
  resolveOverloadOptions,
} from './overload.ts'
export { type Cursors, createCursors, cursorScope, type KeyValue, type Position } from './pagination/cursor.ts'
export { createKeyset, type Keyset, type Seek, type SortColumn } from './pagination/keyset.ts'
export {
  MAX_LIMIT,
  type OpenPage,
  offsetQuery,
  openPage,
  Page,
  type PageReply,
  type PageRequest,
  pageQuery,
} from './pagination/page.ts'
export { createTotals, type Totals, type TotalsOptions } from './pagination/totals.ts'
export { type FieldError, HttpProblem, type ProblemBody, type ProblemExtras, problem, problemReply } from './problem.ts'
export { type CachingProxy, type CachingProxyOptions, createCachingProxy } from './proxy/caching_proxy.ts'
export { type RateLimitOptions, rateLimit, resolveRateLimitOptions } from './rate_limit.ts'
export { type RateLimitPresetOptions, rateLimits } from './rate_limit_presets.ts'
export { createMemoryRateStore, type MemoryRateStoreOptions, type RateLimitStore } from './rate_limit_store.ts'
export { isReply, json, noContent, type ReplyInit, redirect, stream, text } from './reply.ts'
export { outgoingHeaders, type RequestIdTrust } from './request_context.ts'
export type { ResponseCacheStats } from './response_cache/cache_counts.ts'
export type { KeptDescription } from './response_cache/kept_responses.ts'
export {
  createMemoryResponseStore,
  type MemoryResponseStoreOptions,
} from './response_cache/memory_response_store.ts'
export type { ResponseCacheMiddlewareOptions } from './response_cache/middleware_options.ts'
export type { CacheRequest, Forward, Opening, OriginResponse } from './response_cache/opening.ts'
export type { ResponseCacheOptions } from './response_cache/options.ts'
export type { ResponsePolicy } from './response_cache/policy.ts'
export type { Refresh, RefreshRequest } from './response_cache/refreshes.ts'
export { type ResponseCache, responseCache } from './response_cache/response_cache.ts'
export type { KeepOptions, KeptResponses, ResponseMark, ResponseStore } from './response_cache/response_store.ts'
export { createSharedCache, type SharedCache } from './response_cache/shared_cache.ts'
export type { StoredResponse, Variants } from './response_cache/stored_response.ts'
export { type Method, type Route, type RouteRequest, type RouteSchema, route } from './route.ts'
export { Day, Decimal, Email, Id, Int32, Nullable, OneOf, Text, Timestamp, Uuid } from './schemas.ts'
export {
  nonceOf,
  resolveSecurityHeadersOptions,
  type SecurityHeadersOptions,
  type StrictTransport,
  securityHeaders,
} from './security_headers.ts'
export { type SseEvent, type SseOptions, sse } from './sse.ts'
export {
  createTokens,
  type IssuedToken,
  type TokenClaims,
  type TokenRequest,
  type Tokens,
  type TokensOptions,
} from './tokens.ts'
