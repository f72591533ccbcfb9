import { Id, Nullable, OneOf } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { Moment } from '../api/field.ts'

const Line = Type.Object({
  ordinal: Type.Integer({
    description: 'Position within the order. A return keeps the ordinals of the lines it takes back.',
  }),
  kind: OneOf(['sale', 'return', 'adjustment', 'service']),
  productId: Nullable(Id),
  sku: Type.String(),
  title: Type.String(),
  quantity: Type.Integer({ description: 'Negative on a return.' }),
  unitPrice: Type.Number(),
  amount: Type.Number(),
})

const Payment = Type.Object({
  provider: Type.String(),
  reference: Type.String(),
  status: OneOf(['authorised', 'captured', 'voided', 'refunded', 'failed']),
  amount: Type.Number(),
})

/** What an order may be. */
export const orderStatuses = ['placed', 'paid', 'cancelled', 'returned', 'completed'] as const

/** Something sold, or something taken back. */
export const orderKinds = ['order', 'return'] as const

/** One of `orderStatuses`. */
export type OrderStatus = (typeof orderStatuses)[number]

/** An order without its lines, as lists give it. */
export const orderSummarySchema = Type.Object({
  id: Id,
  merchantId: Id,
  kind: OneOf(orderKinds),
  status: OneOf(orderStatuses),
  customerId: Nullable(Id),
  marketplaceId: Nullable(Id),
  returnsOrderId: Nullable(Id),
  externalId: Nullable(Type.String()),
  country: Type.String(),
  currency: Type.String(),
  total: Type.Number(),
  placedAt: Moment,
})

/** An order with its lines and its payment. */
export const orderSchema = Type.Object({
  ...orderSummarySchema.properties,
  lines: Type.Array(Line),
  payment: Nullable(Payment),
})

/** An order without its lines. */
export type OrderSummary = Static<typeof orderSummarySchema>

/** An order with its lines and its payment. */
export type Order = Static<typeof orderSchema>
