import type { Database } from '@tailwater/postgres'
import type { Connection } from './connection.ts'
import { type ImportParts, importOrder } from './order_import.ts'
import type { PushStatements } from './push_statements.ts'

/** What asking for orders is made of. */
export interface ReadingParts {
  database: Database
  statements: PushStatements
  imports: ImportParts
}

/**
 * Asks a marketplace for the orders that were placed or changed since, and takes them in.
 *
 * Where it stopped is kept page by page, after the page's orders: a crash between the two reads them again, which changes nothing.
 *
 * @returns orders that were new
 */
export async function readOrders(
  parts: ReadingParts,
  connection: Connection,
  from: string | null,
  signal: AbortSignal,
): Promise<number> {
  const { database, statements } = parts
  let cursor = from ?? undefined
  let count = 0
  for (let hasMore = true; hasMore; ) {
    const page = await connection.connector.orders(cursor, { signal })
    for (const order of page.orders) {
      signal.throwIfAborted()
      if ((await importOrder(parts.imports, connection, order)) !== 'known') count++
    }
    await database.query(statements.keepCursor, [connection.id, page.cursor])
    cursor = page.cursor
    hasMore = page.hasMore
  }
  return count
}
