import type { FileStore } from '@tailwater/core'
import type { Jobs, Kind, RunningJob } from '@tailwater/jobs'
import type { Database } from '@tailwater/postgres'
import type { Notice } from '../notifications/notify.ts'
import { ownerTag } from '../queues/ownership.ts'
import { csvLine } from './csv.ts'
import type { ReportStatements } from './report_statements.ts'

/** Whose sales of which day: `2026-11-22`, by the merchant's own clocks. */
export interface SalesReportRequest {
  merchantId: number
  day: string
}

/** What reports are made of. */
export interface ReportParts {
  database: Database
  statements: ReportStatements
  files: FileStore
  notify: Kind<Notice>
}

interface SoldRow {
  sku: string
  title: string
  units: number
  amount: number
  orders: number
  currency: string
}

/** Lines between two looks at whether the job is to stop. */
const STEP = 1_000

/** Where a report is kept. */
export function salesReportKey({ merchantId, day }: SalesReportRequest): string {
  return `reports/${merchantId}/sales-${day}.csv`
}

/** The jobs that write reports: one for a merchant and a day, and the one that asks for those of all merchants each morning. */
export function defineSalesReports(
  jobs: Jobs,
  parts: ReportParts,
): { salesReport: Kind<SalesReportRequest>; dailyReports: Kind<null> } {
  const salesReport = jobs.define<SalesReportRequest>({
    kind: 'sales-report',
    queue: 'reports',
    unique: { by: 'payload', for: 'until-done' },
    run: (job) => writeReport(job, parts),
  })
  const dailyReports = jobs.define<null>({
    kind: 'daily-reports',
    queue: 'reports',
    async run({ signal }) {
      const { rows } = await parts.database.query<SalesReportRequest>(parts.statements.lastDays, [], { signal })
      const requests = rows.map((row) => salesReport.job(row, { tags: [ownerTag(row.merchantId)] }))
      await jobs.enqueueMany(requests)
      return { reports: requests.length }
    },
  })
  return { salesReport, dailyReports }
}

async function writeReport(job: RunningJob<SalesReportRequest>, { database, statements, files, notify }: ReportParts) {
  const { merchantId, day } = job.payload
  const { rows } = await database.query<SoldRow>(statements.salesOfDay, [merchantId, day], { signal: job.signal })
  const lines = [csvLine(['sku', 'title', 'units', 'orders', 'amount', 'currency'])]
  for (const [at, { sku, title, units, orders, amount, currency }] of rows.entries()) {
    if (at % STEP === 0) {
      job.signal.throwIfAborted()
      job.progress(Math.round((100 * at) / rows.length))
    }
    lines.push(csvLine([sku, title, units, orders, amount, currency]))
  }
  const { key, bytes } = await files.write(salesReportKey(job.payload), Buffer.from(lines.join('')), {
    signal: job.signal,
  })
  await notify.enqueue(noticeOf(job.payload, rows.length), { tags: [ownerTag(merchantId)] })
  return { key, bytes, products: rows.length }
}

function noticeOf({ merchantId, day }: SalesReportRequest, products: number): Notice {
  return {
    merchantId,
    topic: 'report-ready',
    key: `report-ready:sales-${day}`,
    title: `Sales of ${day}`,
    text: `${products} products were sold. The report can be fetched.`,
    link: `/reports/sales/${day}`,
  }
}
