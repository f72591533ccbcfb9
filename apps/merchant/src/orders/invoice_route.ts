import type { FileStore } from '@tailwater/core'
import { problem, type Route, route } from '@tailwater/http'
import type { Database } from '@tailwater/postgres'
import { Type } from 'typebox'
import { type Gate, ScopeQuery, scopeOf } from '../accounts/caller.ts'
import { IdParams } from '../api/field.ts'
import { sendFile } from '../api/stored_file.ts'
import { invoiceKey } from './invoice.ts'
import type { Order } from './order.ts'
import type { OrderStatements } from './order_statements.ts'

/** What showing invoices is made of. */
export interface InvoiceRouteParts {
  database: Database
  statements: OrderStatements
  files: FileStore
  gate: Gate
}

/** The route that shows an order's invoice. */
export function invoiceRoute({ database, statements, files, gate }: InvoiceRouteParts): Route {
  return route({
    method: 'GET',
    path: '/orders/:id/invoice',
    id: 'showInvoice',
    summary: "An order's invoice, as a page",
    description: 'Written a moment after the order was placed; orders that were imported have none.',
    tags: ['orders'],
    security: ['bearer'],
    use: [gate.required],
    schema: {
      params: IdParams,
      query: Type.Object({ ...ScopeQuery }),
      response: { 200: Type.String({ contentMediaType: 'text/html' }) },
    },
    async handler({ params, query, exchange }) {
      const { rows } = await database.query<Order>(statements.one, [params.id, scopeOf(exchange, query.merchant)])
      const order = rows[0]
      if (!order) throw problem(404, 'E_NOT_FOUND', `There is no order ${params.id}.`)
      const missing = `There is no invoice of order ${params.id}.`
      const type = 'text/html; charset=utf-8'
      return sendFile({ files, key: invoiceKey(order), type, name: `invoice-${order.id}.html`, missing })
    },
  })
}
