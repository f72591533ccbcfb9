import { TailwaterError } from '@tailwater/core'
import type { TSchema } from 'typebox'
import type { Exchange, Reply } from '../exchange.ts'
import type { Route } from '../route.ts'
import { type JsonSchema, relaxed } from './closed_schema.ts'
import { compileValidator, type Validator } from './validator.ts'

/**
 * Compiles the check that a route's replies are what its description promises.
 *
 * Problems are not checked: every route may answer them. Streams cannot be. A client that asked for some fields
 * (`?fields=`) gets no others, so none is missed then.
 */
export function compileReplyCheck(route: Route): (exchange: Exchange, reply: Reply) => Reply {
  const whole = validatorsOf(route, (schema) => schema)
  const queryFields = (route.schema.query as { properties?: object } | undefined)?.properties
  const sparse = queryFields && 'fields' in queryFields ? validatorsOf(route, relaxed) : whole
  return ({ query }, reply) => {
    const validators = /(?:^|&)fields=/.test(query) ? sparse : whole
    const type = String(reply.headers['content-type'] ?? '')
    if (type.startsWith('application/problem+json')) return reply
    if (!validators.has(reply.status)) throw mismatch(route, reply, 'its status is not declared')
    const validate = validators.get(reply.status)
    if (!validate) {
      if (reply.body !== undefined) throw mismatch(route, reply, 'it is declared to have no body')
      return reply
    }
    if (typeof reply.body !== 'string' || !/json/.test(type)) return reply
    const errors = validate(JSON.parse(reply.body))
    if (errors) throw mismatch(route, reply, errors.map((e) => `${e.path} ${e.message}`).join('; '))
    return reply
  }
}

function mismatch(route: Route, reply: Reply, reason: string): TailwaterError {
  return new TailwaterError('E_RESPONSE_SCHEMA', `${route.id} replied ${reply.status}, but ${reason}`, {
    route: route.id,
    status: reply.status,
  })
}

function validatorsOf(route: Route, adapt: (schema: JsonSchema) => JsonSchema): Map<number, Validator | undefined> {
  const entries = Object.entries(route.schema.response)
  return new Map(
    entries.map(([status, schema]) => [
      Number(status),
      schema && compileValidator(adapt(schema as JsonSchema) as TSchema, '/response'),
    ]),
  )
}
