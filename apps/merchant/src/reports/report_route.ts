import type { FileStore } from '@tailwater/core'
import { Day, type Route, route } from '@tailwater/http'
import { Type } from 'typebox'
import { type Gate, ownerOf, ScopeQuery } from '../accounts/caller.ts'
import { sendFile } from '../api/stored_file.ts'
import { salesReportKey } from './sales_report.ts'

/** What sending reports is made of. */
export interface ReportRouteParts {
  files: FileStore
  gate: Gate
}

/** The route that sends a merchant's report of a day. */
export function reportRoute({ files, gate }: ReportRouteParts): Route {
  return route({
    method: 'GET',
    path: '/reports/sales/:day',
    id: 'showSalesReport',
    summary: 'What was sold on a day, product by product, as CSV',
    description: 'Written every morning for the day before.',
    tags: ['reports'],
    security: ['bearer'],
    use: [gate.required],
    schema: {
      params: Type.Object({ day: Day }),
      query: Type.Object({ ...ScopeQuery }),
      response: { 200: Type.String({ contentMediaType: 'text/csv' }) },
    },
    handler({ params: { day }, query, exchange }) {
      const key = salesReportKey({ merchantId: ownerOf(exchange, query.merchant), day })
      const missing = `There is no report of ${day}.`
      return sendFile({ files, key, type: 'text/csv; charset=utf-8', name: `sales-${day}.csv`, missing })
    },
  })
}
