import { Id, json, type Reply, type Route, route, Text } from '@tailwater/http'
import type { Database } from '@tailwater/postgres'
import { type Static, Type } from 'typebox'
import { callerOf, type Gate, ownerOf, ScopeQuery, scopeOf } from '../accounts/caller.ts'
import { IdParams } from '../api/field.ts'
import { actorOf } from '../audit/audit_trail.ts'
import { type CancellationParts, cancelOrder } from './cancellation.ts'
import type { Checkout } from './checkout.ts'
import { type Answer, hashRequest, refusalIn } from './idempotency.ts'
import { orderSchema } from './order.ts'
import { readOrder } from './order_reading.ts'
import type { OrderStatements } from './order_statements.ts'
import { type ReturnParts, returnOrder } from './return.ts'

/** What the routes of single orders are made of. */
export interface OrderParts {
  database: Database
  statements: OrderStatements
  checkout: Checkout
  cancellation: CancellationParts
  returns: ReturnParts
  gate: Gate
}

const Query = Type.Object({ ...ScopeQuery })

/** The header that makes a request repeatable. */
export const IdempotencyKey = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[\\x21-\\x7e]+$',
  description: 'Chosen by the client for this one request: repeating it with the same key gives the same answer.',
  examples: ['b9f0c8a2-5e1d-4c53-9a51-3f1f0c2ad8f1'],
})

const CheckoutBody = Type.Object({
  customerId: Id,
  lines: Type.Array(
    Type.Object({ productId: Id, quantity: Type.Integer({ minimum: 1, maximum: 1000, examples: [2] }) }),
    {
      minItems: 1,
      maxItems: 100,
    },
  ),
  payment: Type.Object({
    token: Type.String({
      pattern: '^tok_[a-z0-9_]{1,60}$',
      description: "The provider's token for the customer's card. `tok_declined` is declined.",
      examples: ['tok_visa'],
    }),
  }),
  country: Type.Optional(Text(60, 1, { description: "Where it goes; the customer's country if not given." })),
  marketplaceId: Type.Optional(Id),
})

/** The routes that place, show and cancel orders. */
export function orderRoutes(parts: OrderParts): Route[] {
  return [checkoutRoute(parts), showRoute(parts), cancelRoute(parts), returnRoute(parts)]
}

/** Sends an answer as it was first given. @throws the refusal that it holds */
export function sendAnswer(answer: Answer): Reply {
  const refusal = refusalIn(answer)
  if (refusal) throw refusal
  return json(answer.body, { status: answer.status })
}

function checkoutRoute({ checkout, gate }: OrderParts): Route {
  return route({
    method: 'POST',
    path: '/orders',
    id: 'checkOut',
    summary: 'Place an order: reserve the stock, authorise the payment, confirm',
    description:
      'Answered once per idempotency key: the same request again gets the same answer, another one under the same key is refused.',
    tags: ['orders'],
    security: ['bearer'],
    use: [gate.required],
    schema: {
      query: Query,
      headers: Type.Object({ 'idempotency-key': IdempotencyKey }),
      body: CheckoutBody,
      response: { 201: orderSchema },
    },
    async handler({ query, headers, body, exchange }) {
      const merchantId = ownerOf(exchange, query.merchant)
      const { payment, ...basket } = body
      const claim = { merchantId, key: headers['idempotency-key'], requestHash: hashCheckout(body) }
      // Not given the exchange's signal: a client that hangs up must not leave its checkout half way.
      return sendAnswer(await checkout({ ...basket, merchantId, token: payment.token }, claim))
    },
  })
}

/** By its values in a fixed order, so that the order of a body's fields does not matter. */
function hashCheckout({ customerId, country, marketplaceId, payment, lines }: Static<typeof CheckoutBody>): Buffer {
  const pieces = lines.map(({ productId, quantity }) => [productId, quantity])
  return hashRequest('checkOut', [customerId, country, marketplaceId, payment.token, pieces])
}

function showRoute({ database, statements, gate }: OrderParts): Route {
  return route({
    method: 'GET',
    path: '/orders/:id',
    id: 'showOrder',
    summary: 'One order with its lines and its payment',
    tags: ['orders'],
    security: ['bearer'],
    use: [gate.required],
    schema: { params: IdParams, query: Query, response: { 200: orderSchema } },
    handler: ({ params, query, exchange }) =>
      readOrder(database, statements, params.id, scopeOf(exchange, query.merchant)),
  })
}

function cancelRoute({ database, statements, cancellation, gate }: OrderParts): Route {
  return route({
    method: 'POST',
    path: '/orders/:id/cancel',
    id: 'cancelOrder',
    summary: 'Cancel an order that has not left yet',
    description: 'Its stock is free again and its payment is let go. Cancelling twice is the same as once.',
    tags: ['orders'],
    security: ['bearer'],
    use: [gate.required],
    schema: { params: IdParams, query: Query, response: { 200: orderSchema } },
    async handler({ params, query, exchange }) {
      const scope = scopeOf(exchange, query.merchant)
      await cancelOrder(cancellation, { orderId: params.id, scope, actor: actorOf(callerOf(exchange)) })
      return readOrder(database, statements, params.id, scope)
    },
  })
}

const ReturnBody = Type.Object({
  lines: Type.Optional(
    Type.Array(
      Type.Object({
        ordinal: Type.Integer({ minimum: 1, maximum: 1_000_000, description: "The line's position in the order." }),
        quantity: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Pieces that come back.' }),
      }),
      { minItems: 1, maxItems: 1_000, description: 'Everything that has not come back yet if not given.' },
    ),
  ),
})

function returnRoute({ returns, gate }: OrderParts): Route {
  return route({
    method: 'POST',
    path: '/orders/:id/return',
    id: 'returnOrder',
    summary: 'Take an order back, whole or in part',
    description: 'Makes an order of kind `return` with negative lines, puts the stock back and refunds the money.',
    tags: ['orders'],
    security: ['bearer'],
    use: [gate.required],
    schema: {
      params: IdParams,
      query: Query,
      headers: Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) }),
      body: Type.Optional(ReturnBody),
      response: { 201: orderSchema },
    },
    async handler({ params, query, headers, body, exchange }) {
      const scope = scopeOf(exchange, query.merchant)
      const actor = actorOf(callerOf(exchange))
      const request = { orderId: params.id, scope, lines: body?.lines, key: headers['idempotency-key'], actor }
      return sendAnswer(await returnOrder(returns, request))
    },
  })
}
