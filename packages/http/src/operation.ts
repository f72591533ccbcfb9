import { parseSize, TailwaterError } from '@tailwater/core'
import { IsOptional, type TSchema } from 'typebox'
import type { BodySource } from './body_source.ts'
import type { Reply } from './exchange.ts'
import { faultReply } from './fault.ts'
import { type Eventually, isPromise, runAfter, runBefore } from './internal/hooks.ts'
import type { LiveExchange } from './internal/live_exchange.ts'
import type { Middleware } from './middleware.ts'
import { type FieldError, problem } from './problem.ts'
import { isReply, json } from './reply.ts'
import type { Route, RouteRequest } from './route.ts'
import { compileCoercion } from './validation/coercion.ts'
import { parseJsonBody, refuseUnsafe, requireJson } from './validation/json_body.ts'
import { findUnsafe } from './validation/plain_text.ts'
import { parseQuery, type QueryValues } from './validation/query_string.ts'
import { compileReplyCheck } from './validation/reply_check.ts'
import { compileValidator, type Validator } from './validation/validator.ts'

/** Longest body of a route that names no limit: 1 MiB. */
export const DEFAULT_BODY_LIMIT = 1_048_576

/** What the routes of one router have in common. */
export interface OperationOptions {
  middleware?: readonly Middleware[]
  /** Put before every path, without a slash at its end. */
  basePath?: string
  /** Longest body in bytes, for routes that name none. @default 1 MiB */
  bodyLimit?: number
  /** Checks replies against their schemas, for development and tests: a reply that does not fit becomes a 500. @default false */
  checkResponses?: boolean
}

/** A route made ready: its schemas compiled, its steps in one list. */
export interface Operation {
  readonly route: Route
  /** The path with the base path before it; the label in events. */
  readonly pattern: string
  /** Answers one exchange; never throws or rejects. */
  answer(exchange: LiveExchange, params: QueryValues, body: BodySource): Eventually<Reply>
}

/** Compiles a route once, when it is mounted. */
export function compileOperation(route: Route, options: OperationOptions = {}): Operation {
  const pattern = `${options.basePath ?? ''}${route.path}` || '/'
  const steps = [...(options.middleware ?? []), ...(route.use ?? [])]
  const readParts = compileParts(route)
  const readBody = compileBody(route, options.bodyLimit ?? DEFAULT_BODY_LIMIT)
  const check = options.checkResponses ? compileReplyCheck(route) : (_: LiveExchange, reply: Reply) => reply

  function serve(exchange: LiveExchange, params: QueryValues, body: BodySource): Eventually<Reply> {
    const request = readParts(exchange, params)
    const parsed = readBody(exchange, body)
    if (isPromise(parsed)) return parsed.then((value) => handle(exchange, request, value))
    return handle(exchange, request, parsed)
  }

  function handle(exchange: LiveExchange, request: RouteRequest, body: unknown): Eventually<Reply> {
    ;(request as { body: unknown }).body = body
    const result = route.handler(request)
    if (isPromise(result)) return result.then((value) => check(exchange, replyOf(value)))
    return check(exchange, replyOf(result))
  }

  /** What is thrown anywhere becomes a reply before the `after` hooks see it. */
  function guarded(exchange: LiveExchange, params: QueryValues, body: BodySource): Eventually<Reply> {
    try {
      const served = serve(exchange, params, body)
      return isPromise(served) ? served.catch((error: unknown) => faultReply(error, exchange)) : served
    } catch (error) {
      return faultReply(error, exchange)
    }
  }

  return {
    route,
    pattern,
    answer(exchange, params, body) {
      exchange.route = pattern
      const early = runBefore(exchange, steps)
      if (isPromise(early))
        return early
          .then((reply) => reply ?? guarded(exchange, params, body))
          .then((reply) => runAfter(exchange, reply))
      const served = early ?? guarded(exchange, params, body)
      return isPromise(served) ? served.then((reply) => runAfter(exchange, reply)) : runAfter(exchange, served)
    },
  }
}

function replyOf(value: Reply | object): Reply {
  if (isReply(value)) return value
  // A problem may be returned as well as thrown; any other error must not be sent as a value either.
  if (value instanceof Error) throw value
  if (value === undefined)
    throw new TailwaterError('E_ROUTE', 'A handler returned nothing; return noContent() for an empty reply')
  return json(value)
}

/** Compiles the reading of params, query and headers. */
function compileParts(route: Route): (exchange: LiveExchange, params: QueryValues) => RouteRequest {
  const { schema } = route
  const params = compileText(schema.params, '/params')
  const query = compileText(schema.query, '/query')
  const headers = compileText(schema.headers, '/headers')
  const headerNames = Object.keys((schema.headers as { properties?: object } | undefined)?.properties ?? {})
  return (exchange, rawParams) => {
    const errors: FieldError[] = []
    const request = {
      params: params(rawParams, errors),
      query: query(exchange.query === '' ? Object.create(null) : parseQuery(exchange.query), errors),
      headers: headers(headerNames.length === 0 ? {} : pickHeaders(exchange, headerNames), errors),
      body: undefined,
      exchange,
    }
    if (errors.length > 0) throw problem(400, 'E_VALIDATION', 'The request is not valid.', { errors })
    return request as unknown as RouteRequest
  }
}

type TextPart = (values: QueryValues, errors: FieldError[]) => unknown

/** A part made of texts. Without a schema it must be empty, but for headers, which proxies add at will. */
function compileText(schema: TSchema | undefined, part: string): TextPart {
  if (!schema) return part === '/query' ? refuseAll(part) : () => undefined
  const coerce = compileCoercion(schema)
  const validate = compileValidator(schema, part)
  return (values, errors) => {
    const unsafe = findUnsafe(values, part)
    const found = unsafe.length > 0 ? unsafe : validate(coerce(values))
    if (found) errors.push(...found)
    return values
  }
}

function refuseAll(part: string): TextPart {
  return (values, errors) => {
    for (const name of Object.keys(values))
      errors.push({ path: `${part}/${name.slice(0, 100)}`, message: 'is not known', code: 'unknown' })
    return undefined
  }
}

function pickHeaders(exchange: LiveExchange, names: readonly string[]): QueryValues {
  const picked: QueryValues = {}
  for (const name of names) {
    const value = exchange.headers[name]
    if (value !== undefined) picked[name] = value
  }
  return picked
}

/** Compiles the reading of the body; the value comes at once when there is nothing to read. */
function compileBody(
  route: Route,
  fallbackLimit: number,
): (exchange: LiveExchange, body: BodySource) => Eventually<unknown> {
  const schema = route.schema.body
  if (!schema) return refuseBody
  const limit = parseSize(route.bodyLimit ?? fallbackLimit, `${route.id}.bodyLimit`)
  const validate = compileValidator(schema, '/body')
  const optional = IsOptional(schema)
  return (exchange, body) => {
    if (!body.present) return optional ? undefined : checked(validate, undefined)
    if (body.parsed) {
      refuseUnsafe(body.parsed.value)
      return checked(validate, body.parsed.value)
    }
    requireJson(exchange.headers['content-type'])
    return body.read(limit).then((bytes) => checked(validate, parseJsonBody(bytes)))
  }
}

function checked(validate: Validator, value: unknown): unknown {
  const errors = value === undefined ? [{ path: '/body', message: 'is required', code: 'required' }] : validate(value)
  if (errors) throw problem(400, 'E_VALIDATION', 'The body is not valid.', { errors })
  return value
}

function refuseBody(_: LiveExchange, body: BodySource): undefined {
  if (body.present) throw problem(400, 'E_BODY_UNEXPECTED', 'This operation takes no body.')
  return undefined
}
