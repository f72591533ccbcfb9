import { createHash } from 'node:crypto'
import type { Keyset, OpenPage, Seek } from '@tailwater/http'
import { type Statement, statement } from '@tailwater/postgres'

/** Collects the values of a statement while its text is put together. */
export interface Parameters {
  readonly values: unknown[]
  /** Adds a value; gives what stands for it in the text. */
  add(value: unknown, type: string): string
  /** Adds the values of a page's beginning; gives its condition and order. */
  seek(page: OpenPage): Seek
}

/** An empty list of values. */
export function createParameters(): Parameters {
  const values: unknown[] = []
  return {
    values,
    add: (value, type) => `$${values.push(value)}::${type}`,
    seek(page) {
      const seek = page.seek(values.length + 1)
      values.push(...seek.values)
      return seek
    },
  }
}

/** A pattern for ILIKE that finds a part, whatever signs are in it. */
export function patternOf(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
}

/** Adds a part as a value. */
export function partOf(text: string, parameters: Parameters): string {
  return parameters.add(patternOf(text), 'text')
}

/** A statement and its values. */
export interface PreparedQuery {
  statement: Statement | string
  values: unknown[]
}

/** Page sizes that statements are made for. */
const LIMITS = [20, 50, 100]

/**
 * The LIMIT of a page: the next of few sizes, and one row more, which tells whether there is another page.
 *
 * A number in the text and not a parameter, because the planner takes an unknown limit for a tenth of the table and
 * then plans the statement anew at each call; of few sizes, so that few statements stay prepared.
 */
export function limitClause({ fetch }: OpenPage): string {
  return `LIMIT ${(LIMITS.find((size) => size >= fetch - 1) ?? fetch - 1) + 1}`
}

/** Statements kept prepared on each connection, some kilobytes each; texts beyond them are sent unnamed. */
const MAX_NAMED = 200

/**
 * Names statements by their texts, so that those of common shapes are planned once for each connection.
 *
 * By a hash, because a name must stand for one text in the whole process.
 */
export function createStatementNames(prefix: string): (text: string) => Statement | string {
  const named = new Map<string, Statement>()
  return (text) => {
    const known = named.get(text)
    if (known) return known
    if (named.size >= MAX_NAMED) return text
    const made = statement(`${prefix}_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`, text)
    named.set(text, made)
    return made
  }
}

/** A list that is read from one table along one index. */
export interface TableList {
  /** SELECT list. */
  columns: string
  /** `schema.orders o` */
  from: string
  /** Outer joins for the columns, so that the planner can't let them decide which rows make the page. */
  joins?: string
  keyset: Keyset
  conditions: readonly string[]
}

/** The text of one page of a table's list. */
export function pageText(
  { columns, from, joins = '', keyset, conditions }: TableList,
  page: OpenPage,
  parameters: Parameters,
): string {
  const { where, orderBy } = parameters.seek(page)
  const skip = page.offset > 0 ? ` OFFSET ${parameters.add(page.offset, 'bigint')}` : ''
  return `SELECT ${columns}, ${keyset.select} FROM ${from} ${joins}
    WHERE ${[...conditions, where].join(' AND ')} ORDER BY ${orderBy} ${limitClause(page)}${skip}`
}

/** The text that counts a table's list. */
export function countText({ from, conditions }: TableList): string {
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''
  return `SELECT count(*)::float8 AS total FROM ${from}${where}`
}
