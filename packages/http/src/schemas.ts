import { type TSchema, type TStringOptions, Type } from 'typebox'

/** A positive whole number that fits a PostgreSQL `bigint` and a JavaScript number alike. */
export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

/** A whole number of PostgreSQL's `integer`. */
export const Int32 = (options: { minimum?: number; maximum?: number } = {}) =>
  Type.Integer({ minimum: -2_147_483_648, maximum: 2_147_483_647, ...options })

/** The pattern of what is not blank. */
export const NOT_BLANK = '\\S'

/** Text of a bounded length, in characters; unless it may be empty, it must not be blank either. */
export const Text = (maxLength: number, minLength = 1, options: TStringOptions = {}) =>
  Type.String({ ...options, minLength, maxLength, ...(minLength > 0 && { pattern: NOT_BLANK }) })

/** An instant as ISO 8601 with a zone: `2026-11-22T10:00:00Z`. */
export const Timestamp = Type.String({ format: 'date-time', maxLength: 40 })

/** A day: `2026-11-22`. */
export const Day = Type.String({ format: 'date' })

/** An e-mail address. */
export const Email = Type.String({ format: 'email', maxLength: 254 })

/** A UUID of any version. */
export const Uuid = Type.String({ format: 'uuid' })

/** An exact decimal as text, such as a price, with at most so many digits before and after its point. */
export const Decimal = (whole: number, places: number) =>
  Type.String({ pattern: `^-?(?:0|[1-9]\\d{0,${whole - 1}})(?:\\.\\d{1,${places}})?$`, examples: ['12.50'] })

/** One of a fixed set of words. */
export const OneOf = <const T extends readonly string[]>(words: T) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...words] })

/** A value, or null. */
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
