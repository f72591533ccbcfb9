import { TailwaterError } from '@tailwater/core'
import type { KeyValue, Position } from './cursor.ts'

/*
 * Keyset pagination ("seek method", Markus Winand, use-the-index-luke.com/no-offset).
 *
 * A page begins after the last row of the one before, found by its sort values, not by counting rows. So page
 * 1,000 costs what page 1 costs, and rows inserted or deleted meanwhile neither repeat nor hide others.
 *
 * Columns of one direction that are never null compare as one row, `(a, b) > (x, y)`, which a B-tree on (a, b)
 * answers with one descent. Otherwise the comparison is written out: `a > x OR (a = x AND b < y)`, with `a >= x`
 * put before it, because PostgreSQL finds the place in an index only by a condition that stands alone.
 *
 * It only works if the columns together are unique: end with the primary key.
 */

/** One column of a sort order. */
export interface SortColumn {
  /** The column or expression, as in the query: `p.created_at`. Never from a client. */
  sql: string
  /** Its PostgreSQL type: `bigint`, `timestamptz`, `numeric(14,3)`. */
  type: string
  /** @default 'asc' */
  direction?: 'asc' | 'desc'
  /** Where nulls stand; leave out for a column that has none. */
  nulls?: 'first' | 'last'
  /** A column of the query's own that holds exactly this value, as text or as a whole number: it is then not selected a second time. */
  field?: string
}

/** The parts of a query that reads one page. */
export interface Seek {
  /** A condition to put after WHERE or AND; `TRUE` on the first page. */
  where: string
  /** The columns to put after ORDER BY. */
  orderBy: string
  /** The values of the parameters in `where`, texts and nulls only. */
  values: KeyValue[]
}

/** A sort order that pages can be read in. */
export interface Keyset {
  /** Names the order in a cursor's scope. */
  readonly name: string
  /** What the query must select beside its own columns: each sort value without a `field` as text, named `key_0`, `key_1`, …; empty when each has one. */
  readonly select: string
  /** @param firstParameter number of the first free parameter: 3 when `$1` and `$2` are taken */
  seek(position: Position | undefined, firstParameter: number): Seek
  /** The sort values of a row that was selected with `select`. */
  keyOf(row: Record<string, unknown>): KeyValue[]
}

interface Column {
  sql: string
  type: string
  descending: boolean
  nulls: 'first' | 'last' | undefined
  field: string | undefined
}

/**
 * Defines a sort order.
 *
 * @example
 * const newest = createKeyset([
 *   { sql: 'p.created_at', type: 'timestamptz', direction: 'desc' },
 *   { sql: 'p.id', type: 'bigint', direction: 'desc' },
 * ])
 * const { where, orderBy, values } = newest.seek(position, 2)
 * `SELECT p.id, p.title, ${newest.select} FROM products p WHERE p.category_id = $1 AND ${where} ORDER BY ${orderBy} LIMIT 21`
 */
export function createKeyset(columns: readonly [SortColumn, ...SortColumn[]]): Keyset {
  const forward = columns.map(readColumn)
  const backward = forward.map(reversed)
  const names = forward.map(({ field }, i) => field ?? `key_${i}`)
  return {
    name: forward.map(orderTerm).join(', '),
    select: forward.flatMap(({ sql, field }, i) => (field === undefined ? `${sql}::text AS key_${i}` : [])).join(', '),
    keyOf: (row) => names.map((name) => textOf(row[name])),
    seek(position, firstParameter) {
      const order = position?.direction === 'previous' ? backward : forward
      const orderBy = order.map(orderTerm).join(', ')
      if (!position) return { where: 'TRUE', orderBy, values: [] }
      if (position.values.length !== order.length)
        throw new TailwaterError('E_CURSOR', 'The cursor does not fit this sort order.')
      return { orderBy, ...condition(order, position, firstParameter) }
    },
  }
}

function readColumn({ sql, type, direction = 'asc', nulls, field }: SortColumn): Column {
  if (!/^[a-z][a-z0-9 _]*(?:\(\d+(?:,\d+)?\))?$/.test(type))
    throw new TailwaterError('E_OPTIONS', `'${type}' is not the name of a PostgreSQL type`, { path: 'type' })
  return { sql, type, descending: direction === 'desc', nulls, field }
}

function reversed(column: Column): Column {
  const nulls = column.nulls === undefined ? undefined : column.nulls === 'first' ? 'last' : 'first'
  return { ...column, descending: !column.descending, nulls }
}

function orderTerm({ sql, descending, nulls }: Column): string {
  return `${sql} ${descending ? 'DESC' : 'ASC'}${nulls === undefined ? '' : ` NULLS ${nulls.toUpperCase()}`}`
}

function textOf(value: unknown): KeyValue {
  return value === null || value === undefined ? null : String(value)
}

/** One sort column, with the value to compare it to and its placeholder. */
interface Term extends Column {
  value: KeyValue
  placeholder: string
}

function condition(
  order: readonly Column[],
  position: Position,
  firstParameter: number,
): Pick<Seek, 'where' | 'values'> {
  const values: KeyValue[] = []
  const terms = order.map((column, i): Term => {
    const value = position.values[i]!
    if (value !== null) values.push(value)
    return { ...column, value, placeholder: `$${firstParameter + values.length - 1}::text::${column.type}` }
  })
  const inclusive = position.inclusive === true
  const simple = terms.every((t) => t.nulls === undefined && t.descending === terms[0]!.descending)
  return { where: simple ? rowComparison(terms, inclusive) : spelledOut(terms, inclusive), values }
}

function rowComparison(terms: readonly Term[], inclusive: boolean): string {
  const operator = `${terms[0]!.descending ? '<' : '>'}${inclusive ? '=' : ''}`
  return `(${terms.map((t) => t.sql).join(', ')}) ${operator} (${terms.map((t) => t.placeholder).join(', ')})`
}

function spelledOut(terms: readonly Term[], inclusive: boolean): string {
  const ways = terms.map((term, i) => [...terms.slice(0, i).map(same), beyond(term)].join(' AND '))
  if (inclusive) ways.push(terms.map(same).join(' AND '))
  const first = terms[0]!
  const start =
    first.nulls === undefined ? `${first.sql} ${first.descending ? '<=' : '>='} ${first.placeholder} AND ` : ''
  return `(${start}(${ways.map((way) => `(${way})`).join(' OR ')}))`
}

function same({ sql, value, placeholder }: Term): string {
  return value === null ? `${sql} IS NULL` : `${sql} = ${placeholder}`
}

/** Rows that come after the value in this column. */
function beyond({ sql, value, placeholder, descending, nulls }: Term): string {
  if (value === null) return nulls === 'first' ? `${sql} IS NOT NULL` : 'FALSE'
  const later = `${sql} ${descending ? '<' : '>'} ${placeholder}`
  return nulls === 'last' ? `(${later} OR ${sql} IS NULL)` : later
}
