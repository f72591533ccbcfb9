import { createHash } from 'node:crypto'
import type { OpenPage, Seek } from '@tailwater/http'
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

/** A row as a client sees it: without the columns that place it in its list. */
export function withoutKey<Row extends object>(row: Row): object {
  const { key_0: _value, key_1: _id, ...own } = row as Row & { key_0: string; key_1: string }
  return own
}
