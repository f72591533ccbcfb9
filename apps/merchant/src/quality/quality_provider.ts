import { OneOf } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import type { Product } from '../catalogue/product.ts'

/** How much a finding weighs: an error keeps a product from being sold well, a hint is a matter of taste. */
export const severities = ['error', 'warning', 'hint'] as const

/** One thing that could be better. */
export const findingSchema = Type.Object({
  field: Type.String({ maxLength: 100, examples: ['title'] }),
  code: Type.String({ maxLength: 100, examples: ['title-shouts'] }),
  severity: OneOf(severities),
  message: Type.String({ maxLength: 1_000 }),
})

/** What a provider says of a product. */
export const assessmentSchema = Type.Object({
  score: Type.Number({ minimum: 0, maximum: 100, description: '100 is flawless.' }),
  findings: Type.Array(findingSchema, { maxItems: 100 }),
})

/** One thing that could be better. */
export type Finding = Static<typeof findingSchema>

/** What a provider says of a product. */
export type Assessment = Static<typeof assessmentSchema>

/** A product as it is judged: what buyers see of it, and what others of its category cost. */
export interface JudgedProduct
  extends Pick<
    Product,
    'id' | 'sku' | 'title' | 'description' | 'price' | 'currency' | 'category' | 'status' | 'available' | 'images'
  > {
  /** Of active products of the category; null where there are too few to tell. */
  usualPrice: number | null
}

/** Whoever judges products. `assess` rejects when no judgement can be had now, and may then be repeated. */
export interface QualityProvider {
  readonly name: string
  /** Milliseconds until it is worth asking again, where that is known beforehand; 0 when it may be asked. */
  readonly wait: number
  assess(product: JudgedProduct, options?: { signal?: AbortSignal }): Promise<Assessment>
}
