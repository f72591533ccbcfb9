import type { Clock, FileStore, Mailer, Service } from '@tailwater/core'
import type { Jobs, Kind } from '@tailwater/jobs'
import type { Database } from '@tailwater/postgres'
import { defineRecalculation, recalculationStatements } from '../analytics/recalculation.ts'
import { auditStatements } from '../audit/audit_statements.ts'
import { type AuditTrail, defineAuditTrail } from '../audit/audit_trail.ts'
import type { ShopCaches } from '../caches/shop_caches.ts'
import { defineWarmJobs, type WarmJobParts } from '../caches/warm_jobs.ts'
import { warmStatements } from '../caches/warm_statements.ts'
import type { ProductStatements } from '../catalogue/product_statements.ts'
import { defineReindexing, reindexingStatements } from '../catalogue/reindexing.ts'
import { type NotificationStatements, notificationStatements } from '../notifications/notification_statements.ts'
import { defineNotify, type Notice } from '../notifications/notify.ts'
import { defineOrderFlow, type OrderFlow } from '../orders/order_flow.ts'
import type { OrderStatements } from '../orders/order_statements.ts'
import { defineQualityCheck, type QualityRequest } from '../quality/quality_check.ts'
import type { QualityProvider } from '../quality/quality_provider.ts'
import { qualityStatements } from '../quality/quality_statements.ts'
import { reportStatements } from '../reports/report_statements.ts'
import { defineSalesReports } from '../reports/sales_report.ts'
import type { SmsProvider } from '../sms/sms_provider.ts'
import { analyticsEventStatements, defineEventTrimming } from '../subscriptions/analytics_events.ts'
import { defineForgetting, forgettingStatements } from './forgetting.ts'
import { createTimetable } from './timetable.ts'

/** What the merchant's jobs are made of. */
export interface WorkParts {
  database: Database
  jobs: Jobs
  clock: Clock
  mailer: Mailer
  sms: SmsProvider
  files: FileStore
  quality: QualityProvider
  /** Name of the schema, and the same quoted and ready to interpolate. */
  schemaName: string
  schema: string
  caches: ShopCaches
  orders: OrderStatements
  catalogue: ProductStatements
  /** What is kept warm; undefined when nothing is kept. */
  warm: Pick<WarmJobParts, 'products' | 'pages'> | undefined
}

/** What routes and checkouts enqueue, and what runs beside them. */
export interface Work {
  audit: AuditTrail
  flow: OrderFlow
  qualityCheck: Kind<QualityRequest>
  notifications: NotificationStatements
  notify: Kind<Notice>
  timetable: Service
}

/** Defines every kind of job but those of payments, each on its queue. */
export function defineWork(parts: WorkParts): Work {
  const { database, jobs, schema, files, caches } = parts
  const notifications = notificationStatements(schema)
  const audit = defineAuditTrail(jobs, { ...parts, statements: auditStatements(schema) })
  const notify = defineNotify(jobs, { ...parts, statements: notifications })
  const flow = defineOrderFlow(jobs, { ...parts, statements: parts.orders, notify, audit })
  const quality = {
    database,
    products: parts.catalogue,
    provider: parts.quality,
    notify,
    statements: qualityStatements(schema),
  }
  const qualityCheck = defineQualityCheck(jobs, quality)
  const { dailyReports } = defineSalesReports(jobs, { database, files, notify, statements: reportStatements(schema) })
  const recalculated = { database, statements: recalculationStatements(schema), changes: caches.changes }
  const { recalculations } = defineRecalculation(jobs, recalculated)
  const reindexing = defineReindexing(jobs, { ...parts, statements: reindexingStatements(schema) })
  const { hotProducts } = caches
  const warmed =
    parts.warm && defineWarmJobs(jobs, { ...parts.warm, database, hotProducts, statements: warmStatements(schema) })
  const trimming = defineEventTrimming(jobs, { database, statements: analyticsEventStatements(schema) })
  const forgetting = defineForgetting(jobs, { database, statements: forgettingStatements(schema) })
  const timed = [dailyReports, recalculations, reindexing, trimming, forgetting, ...(warmed ? [warmed.warmUp] : [])]
  const timetable = createTimetable(jobs, new Set(timed.map(({ kind }) => kind)))
  return { audit, flow, qualityCheck, notifications, notify, timetable }
}
