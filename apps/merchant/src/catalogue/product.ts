import { Id, Nullable, OneOf, Text } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { Moment, Price } from '../api/field.ts'

/** Where a product is in its life: drafts are seen by their merchant alone, archived ones are no longer sold. */
export const productStatuses = ['draft', 'active', 'archived'] as const

/** One of `productStatuses`. */
export type ProductStatus = (typeof productStatuses)[number]

const Status = OneOf(productStatuses)

/** A product as lists give it. */
export const productSummarySchema = Type.Object({
  id: Id,
  sku: Type.String({ examples: ['85123A'] }),
  title: Type.String({ examples: ['White hanging heart T-light holder'] }),
  price: Price,
  currency: Type.String({ examples: ['GBP'] }),
  status: Status,
  categoryId: Id,
  category: Type.String({ description: "The category's name.", examples: ['Candles'] }),
  merchantId: Id,
  merchant: Type.String({ description: "The merchant's name.", examples: ['Northern Gifts'] }),
  available: Type.Integer({ description: 'Pieces that can be ordered now.', examples: [120] }),
  image: Nullable(Type.String({ description: 'Address of the first image.' })),
  version: Type.Integer({ description: 'Grows with each change.', examples: [3] }),
  createdAt: Moment,
  updatedAt: Moment,
})

const imageSchema = Type.Object({ position: Type.Integer(), url: Type.String(), alt: Type.String() })

/** A product with all that is known of it. */
export const productSchema = Type.Object({
  ...productSummarySchema.properties,
  description: Type.String(),
  images: Type.Array(imageSchema),
})

const ImageInput = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 2000, pattern: '^(https?://|/)\\S*$' }),
  alt: Type.Optional(Text(200, 0)),
})

/** What a merchant says of a new product. */
export const newProductSchema = Type.Object({
  sku: Text(60, 1, { description: "The merchant's own number.", examples: ['85123A'] }),
  title: Text(200, 1, { examples: ['White hanging heart T-light holder'] }),
  description: Type.Optional(Text(10_000, 0)),
  price: Price,
  categoryId: Id,
  status: Type.Optional(Status),
  onHand: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Pieces in the house.' })),
  images: Type.Optional(Type.Array(ImageInput, { maxItems: 20 })),
})

/** A change of some fields; what is not given stays as it is. */
export const productPatchSchema = Type.Partial(newProductSchema, { minProperties: 1 })

/** A product as lists give it, with all its fields. */
export type ProductSummary = Static<typeof productSummarySchema>

/** A product with all that is known of it. */
export type Product = Static<typeof productSchema>

/** What a merchant says of a new product. */
export type NewProduct = Static<typeof newProductSchema>

/** A change of some of a product's fields. */
export type ProductPatch = Static<typeof productPatchSchema>

/** A field of a product in a list. */
export type ProductField = keyof ProductSummary

/** The fields of a product in a list, in their order. */
export const productFields = Object.keys(productSummarySchema.properties) as ProductField[]
