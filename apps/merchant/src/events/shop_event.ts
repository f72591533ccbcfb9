import { Id, Nullable } from '@tailwater/http'
import { typeBoxSchema } from '@tailwater/jobs'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'

/*
 * What happens in the shop, for whoever wants to know: numbers of what it happened to, and nothing that could change until it is read, or that names a person.
 * A receiver that needs more reads it when it needs it, and so sees the newest.
 */

const ofOrder = { orderId: Id, merchantId: Id }

/** The bodies of the shop's events, by topic. */
export const shopBodies = {
  'order.placed': Type.Object({
    ...ofOrder,
    marketplaceId: Nullable(Id),
    total: Type.Number(),
    currency: Type.String(),
  }),
  'order.paid': Type.Object(ofOrder),
  'order.cancelled': Type.Object(ofOrder),
  /** `orderId` is the order, `returnId` what takes it back, whole or in part. */
  'order.returned': Type.Object({ ...ofOrder, returnId: Id }),
  /** A product, or how it is listed, is otherwise than it was. */
  'product.updated': Type.Object({ productId: Id, merchantId: Id }),
  /** Of each of these products more or fewer can be bought than before. */
  'stock.changed': Type.Object({ merchantId: Id, productIds: Type.Array(Id, { minItems: 1 }) }),
  'customer.created': Type.Object({ customerId: Id, merchantId: Id }),
} as const

/** One of the shop's topics. */
export type ShopTopic = keyof typeof shopBodies

/** What an event of a topic tells. */
export type ShopBody<Topic extends ShopTopic> = Static<(typeof shopBodies)[Topic]>

/** Something that happened. */
export type ShopEvent = { [Topic in ShopTopic]: { topic: Topic; body: ShopBody<Topic> } }[ShopTopic]

/** Every topic that there is. */
export const shopTopics = Object.keys(shopBodies) as ShopTopic[]

/** The schemas, as messaging reads them: checked when an event is published and when it arrives. */
export const shopTopicSchemas = {
  'order.placed': typeBoxSchema(Compile(shopBodies['order.placed'])),
  'order.paid': typeBoxSchema(Compile(shopBodies['order.paid'])),
  'order.cancelled': typeBoxSchema(Compile(shopBodies['order.cancelled'])),
  'order.returned': typeBoxSchema(Compile(shopBodies['order.returned'])),
  'product.updated': typeBoxSchema(Compile(shopBodies['product.updated'])),
  'stock.changed': typeBoxSchema(Compile(shopBodies['stock.changed'])),
  'customer.created': typeBoxSchema(Compile(shopBodies['customer.created'])),
} as const
