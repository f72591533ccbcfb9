import type { Cursors, OpenPage, PageReply, Totals } from '@tailwater/http'
import type { Database, Queryable } from '@tailwater/postgres'
import type { PreparedQuery } from '../database/list_statement.ts'
import { momentText } from './moment_text.ts'

/** What lists are read with. */
export interface ListParts {
  database: Database
  cursors: Cursors
  totals: Totals
}

/** A list's two statements. */
export interface ListQueries {
  rows: PreparedQuery
  /** Undefined when the total is not asked for. */
  count: PreparedQuery | undefined
  /** Columns that hold moments as the server's texts. */
  moments?: readonly string[]
  /** @default the database's reader */
  from?: Queryable
}

/** Reads a page, and counts the whole list if that is asked for; the same count within seconds is read once. */
export async function answerList(
  { database, totals }: ListParts,
  page: OpenPage,
  { rows, count, moments = [], from = database.reader }: ListQueries,
): Promise<PageReply<object>> {
  const reading = from.query<object>(rows.statement, rows.values)
  const counting = count && totals.count(JSON.stringify([textOf(count), count.values]), () => countRows(from, count))
  const [found, total] = counting ? await Promise.all([reading, counting]) : [await reading]
  return page.close(found.rows, (row) => presentRow(row, moments), total)
}

async function countRows(from: Queryable, { statement, values }: PreparedQuery): Promise<number> {
  const { rows } = await from.query<{ total: number }>(statement, values)
  return rows[0]!.total
}

function textOf({ statement }: PreparedQuery): string {
  return typeof statement === 'string' ? statement : statement.text
}

/**
 * A row as a client sees it: its moments in the form of JSON, and without the columns that place it in its list. Those are emptied, not
 * taken out: JSON leaves out what is undefined, and a copy of every row without two of its columns costs more than reading it.
 */
function presentRow(row: object, moments: readonly string[]): object {
  const own = row as Record<string, string | undefined>
  for (const name of moments) own[name] = momentText(own[name]!)
  if (own['key_0'] !== undefined) own['key_0'] = undefined
  if (own['key_1'] !== undefined) own['key_1'] = undefined
  return row
}
