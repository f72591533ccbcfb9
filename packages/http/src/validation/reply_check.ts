import { TailwaterError } from '@tailwater/core'
import type { Exchange, Reply } from '../exchange.ts'
import type { Route } from '../route.ts'
import { compileValidator } from './validator.ts'

/**
 * Compiles the check that a route's replies are what its description promises.
 *
 * Problems are not checked: every route may answer them. Streams cannot be.
 */
export function compileReplyCheck(route: Route): (exchange: Exchange, reply: Reply) => Reply {
  const validators = new Map(
    Object.entries(route.schema.response).map(([status, schema]) => [
      Number(status),
      schema && compileValidator(schema, '/response'),
    ]),
  )
  return (_exchange, reply) => {
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
