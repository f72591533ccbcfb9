import { Id } from '@tailwater/http'
import { Type } from 'typebox'

/**
 * The highest price accepted.
 *
 * With 1,000 pieces a line and 100 lines the dearest order is 10,000,000,000: it still fits `numeric(14,3)`.
 */
export const MAX_PRICE = 100_000

/** An amount of money with up to three decimals, in the merchant's currency. */
export const Price = Type.Number({
  minimum: 0,
  maximum: MAX_PRICE,
  description: "In the merchant's currency; rounded to three decimals.",
  examples: [12.5],
})

/** A moment, in answers. */
export const Moment = Type.Unsafe<Date>({
  type: 'string',
  format: 'date-time',
  examples: ['2026-11-22T10:30:00.000Z'],
})

/** A moment, in requests; PostgreSQL has no year 0. */
export const Instant = Type.String({
  format: 'date-time',
  maxLength: 40,
  pattern: '^(?!0000)',
  examples: ['2026-11-22T10:30:00Z'],
})

/** Lower-case words joined by hyphens, as in an address. */
export const Slug = Type.String({
  pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
  minLength: 1,
  maxLength: 80,
  examples: ['home-decor'],
})

/** `:id` in an address. */
export const IdParams = Type.Object({ id: Id })
