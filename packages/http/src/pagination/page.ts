import { type TSchema, Type } from 'typebox'
import { problem } from '../problem.ts'
import { Nullable } from '../schemas.ts'
import { type Cursors, cursorScope, type Position } from './cursor.ts'
import type { Keyset, Seek } from './keyset.ts'

/** Most rows on one page. */
export const MAX_LIMIT = 100
/** Rows beyond this are reached by cursor: the server reads and throws away every row that an offset skips. */
const MAX_OFFSET = 10_000

/** Query parameters of a list: spread them into the route's query schema. */
export const pageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: 20, description: 'Rows on a page.' }),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 2_048, description: '`page.next` or `page.previous` of another page.' }),
  ),
  total: Type.Boolean({ default: false, description: 'Whether to count the rows of all pages.' }),
}

/** The query parameter of lists that can also be entered by counting rows. */
export const offsetQuery = {
  offset: Type.Optional(
    Type.Integer({ minimum: 0, maximum: MAX_OFFSET, description: 'Rows to skip; not with a cursor.' }),
  ),
}

/** The schema of a page of something. */
export const Page = <T extends TSchema>(item: T) =>
  Type.Object({
    data: Type.Array(item),
    page: Type.Object({
      next: Nullable(Type.String({ description: 'Cursor of the page after this one.' })),
      previous: Nullable(Type.String({ description: 'Cursor of the page before this one.' })),
      limit: Type.Integer({ minimum: 1, maximum: MAX_LIMIT }),
      total: Type.Optional(
        Type.Integer({ minimum: 0, description: 'Rows of all pages, counted a few seconds ago at most.' }),
      ),
    }),
  })

/** One page, as lists answer it. */
export interface PageReply<Item> {
  data: Item[]
  page: { next: string | null; previous: string | null; limit: number; total?: number }
}

/** Which page of which list is asked for. */
export interface PageRequest {
  cursors: Cursors
  keyset: Keyset
  /** The operation's id. */
  operation: string
  /** Everything that decides which rows are in the list; the caller too, where each sees their own. */
  filters?: Readonly<Record<string, unknown>>
  limit: number
  cursor?: string | undefined
  offset?: number | undefined
}

/** A page being read. */
export interface OpenPage {
  /** Rows to ask for: one more than the page holds, which tells whether there is another page. */
  readonly fetch: number
  /** Rows to skip; 0 unless asked for by offset. */
  readonly offset: number
  /** What the text of `seek` depends on, beside the first parameter's number: the same for all pages but the first in one direction. */
  readonly shape: string
  /** The values of `seek`. */
  readonly keys: readonly string[]
  /** @param firstParameter number of the first free parameter */
  seek(firstParameter: number): Seek
  /** Makes the page of the rows read. */
  close<Row extends object, Item>(rows: readonly Row[], present: (row: Row) => Item, total?: number): PageReply<Item>
}

/**
 * Opens a page of a list.
 *
 * @throws E_CURSOR for a cursor of another list; E_VALIDATION for a cursor and an offset together
 *
 * @example
 * const page = openPage({ cursors, keyset: newest, operation: 'listProducts', filters: { category }, ...query })
 * const { where, orderBy, values } = page.seek(2)
 * const { rows } = await database.query(`SELECT …, ${newest.select} … AND ${where} ORDER BY ${orderBy} LIMIT ${page.fetch}`, [category, ...values])
 * return page.close(rows, presentProduct)
 */
export function openPage(request: PageRequest): OpenPage {
  const { cursors, keyset, limit, offset = 0 } = request
  if (request.cursor !== undefined && request.offset !== undefined) throw bothGiven()
  const scope = cursorScope(request.operation, keyset.name, request.filters)
  const position = request.cursor === undefined ? undefined : cursors.decode(request.cursor, scope)
  return {
    fetch: limit + 1,
    offset,
    shape: shapeOf(position),
    keys: position ? position.values.filter((value) => value !== null) : [],
    seek: (firstParameter) => keyset.seek(position, firstParameter),
    close(rows, present, total) {
      const backward = position?.direction === 'previous'
      const kept = rows.slice(0, limit)
      if (backward) kept.reverse()
      const ends = neighbours(kept, keyset, { more: rows.length > limit, backward, position, offset })
      const encode = (end: Position | null) => (end ? cursors.encode(end, scope) : null)
      const page = { next: encode(ends.next), previous: encode(ends.previous), limit }
      return { data: kept.map(present), page: total === undefined ? page : { ...page, total } }
    },
  }
}

function shapeOf(position: Position | undefined): string {
  if (!position) return 'first'
  const nulls = position.values.map((value) => (value === null ? 'null' : '')).join()
  return `${position.direction} ${position.inclusive === true} ${nulls}`
}

interface Reading {
  more: boolean
  backward: boolean
  position: Position | undefined
  offset: number
}

/** Where the pages before and after begin; null where there are none. */
function neighbours(rows: readonly object[], keyset: Keyset, { more, backward, position, offset }: Reading) {
  const first = rows[0] as Record<string, unknown> | undefined
  const last = rows.at(-1) as Record<string, unknown> | undefined
  if (!first || !last) return aroundNothing(position)
  const after: Position = { direction: 'next', values: keyset.keyOf(last) }
  const before: Position = { direction: 'previous', values: keyset.keyOf(first) }
  if (backward) return { next: after, previous: more ? before : null }
  return { next: more ? after : null, previous: position || offset > 0 ? before : null }
}

/** Everything beyond the cursor has been deleted: the way back leads to the row the cursor stood beside, itself included. */
function aroundNothing(position: Position | undefined): { next: Position | null; previous: Position | null } {
  if (!position) return { next: null, previous: null }
  const { values } = position
  return position.direction === 'next'
    ? { next: null, previous: { direction: 'previous', values, inclusive: true } }
    : { next: { direction: 'next', values, inclusive: true }, previous: null }
}

function bothGiven() {
  return problem(400, 'E_VALIDATION', 'The request is not valid.', {
    errors: [{ path: '/query/offset', message: 'must not be given with a cursor', code: 'conflict' }],
  })
}
