import { Email, Id, Nullable, Text } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { Moment } from '../api/field.ts'

/** A customer of one merchant. */
export const customerSchema = Type.Object({
  id: Id,
  merchantId: Id,
  externalId: Nullable(Type.String({ description: "The customer's number in the system it came from." })),
  email: Nullable(Type.String()),
  name: Type.String({ examples: ['Ada Lovelace'] }),
  country: Type.String({ examples: ['United Kingdom'] }),
  createdAt: Moment,
})

/** What is said of a new customer. */
export const newCustomerSchema = Type.Object({
  name: Text(200),
  country: Text(60),
  email: Type.Optional(Email),
  externalId: Type.Optional(Text(60)),
})

/** A change of some fields; null takes an address or a number away. */
export const customerPatchSchema = Type.Object(
  {
    name: Type.Optional(Text(200)),
    country: Type.Optional(Text(60)),
    email: Type.Optional(Nullable(Email)),
    externalId: Type.Optional(Nullable(Text(60))),
  },
  { minProperties: 1 },
)

/** A customer of one merchant. */
export type Customer = Static<typeof customerSchema>
