import { type Keyset, openPage, type PageReply } from '@tailwater/http'
import type { Queryable } from '@tailwater/postgres'
import type { Scope } from '../accounts/caller.ts'
import {
  countText,
  createParameters,
  createStatementNames,
  type Parameters,
  type PreparedQuery,
  pageText,
} from '../database/list_statement.ts'
import { answerList, type ListParts } from './list_answer.ts'

/** The query parameters that every list has; a list's own stand beside them. */
export interface ListQuery {
  limit: number
  cursor?: string
  offset?: number
  total: boolean
}

/** A list of the rows of one table. */
export interface TableListDefinition<Query extends ListQuery> {
  /** The operation's id. */
  operation: string
  /** SELECT list. */
  columns: string
  /** `schema.orders o` */
  from: string
  /** Outer joins for the columns alone: they are no part of the count. */
  joins?: string
  conditions(query: Query, scope: Scope, parameters: Parameters): string[]
  /** Whether one plan is good for all values, so that the statement is named. @default always */
  isNamed?(query: Query): boolean
  /** Where it is read. @default the database's reader */
  source?: Queryable
}

/** Reads pages of a list. @param scope whose rows; part of what a cursor is good for */
export type TableList<Query> = (query: Query, scope: Scope, keyset: Keyset) => Promise<PageReply<object>>

/** Prepares a list whose statements have one shape for each combination of filters. */
export function createTableList<Query extends ListQuery>(
  parts: ListParts,
  definition: TableListDefinition<Query>,
): TableList<Query> {
  const { operation, isNamed = () => true } = definition
  const name = createStatementNames(`merchant_${operation}`)
  const prepare = (query: Query, write: (parameters: Parameters) => string): PreparedQuery => {
    const parameters = createParameters()
    const text = write(parameters)
    return { statement: isNamed(query) ? name(text) : text, values: parameters.values }
  }

  return (query, scope, keyset) => {
    const { limit, cursor, offset, total, ...filters } = query
    const page = openPage({
      cursors: parts.cursors,
      keyset,
      operation,
      filters: { ...filters, scope },
      limit,
      cursor,
      offset,
    })
    const list = (parameters: Parameters) => ({
      ...definition,
      keyset,
      conditions: definition.conditions(query, scope, parameters),
    })
    return answerList(parts, page, {
      rows: prepare(query, (parameters) => pageText(list(parameters), page, parameters)),
      count: total ? prepare(query, (parameters) => countText(list(parameters))) : undefined,
      ...(definition.source && { from: definition.source }),
    })
  }
}
