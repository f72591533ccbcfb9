import type { Statement } from '@tailwater/postgres'
import { accountStatements } from '../accounts/account_statements.ts'
import { recalculationStatements } from '../analytics/recalculation.ts'
import { auditStatements } from '../audit/audit_statements.ts'
import { warmStatements } from '../caches/warm_statements.ts'
import { categoryStatements } from '../catalogue/category_statements.ts'
import { productStatements } from '../catalogue/product_statements.ts'
import { reindexingStatements } from '../catalogue/reindexing.ts'
import { customerStatements } from '../customers/customer_statements.ts'
import { listingStatements } from '../marketplaces/listing_statements.ts'
import { marketplaceStatements } from '../marketplaces/marketplace_statements.ts'
import { importStatements } from '../marketplaces/sync/import_statements.ts'
import { pushStatements } from '../marketplaces/sync/push_statements.ts'
import { statusStatements } from '../marketplaces/sync/status_statements.ts'
import { notificationStatements } from '../notifications/notification_statements.ts'
import { abandonedStatements } from '../orders/abandoned_checkouts.ts'
import { idempotencyStatements } from '../orders/idempotency.ts'
import { orderStatements } from '../orders/order_statements.ts'
import { stockStatements } from '../orders/stock.ts'
import { qualityStatements } from '../quality/quality_statements.ts'
import { reportStatements } from '../reports/report_statements.ts'
import { analyticsEventStatements } from '../subscriptions/analytics_events.ts'

const FAMILIES = [
  accountStatements,
  productStatements,
  categoryStatements,
  customerStatements,
  orderStatements,
  stockStatements,
  idempotencyStatements,
  abandonedStatements,
  marketplaceStatements,
  listingStatements,
  warmStatements,
  notificationStatements,
  auditStatements,
  qualityStatements,
  reportStatements,
  recalculationStatements,
  reindexingStatements,
  importStatements,
  pushStatements,
  statusStatements,
  analyticsEventStatements,
]

/**
 * Every statement of the merchant that has one text; those of lists are put together from what is asked for.
 *
 * A test runs them all and explains each: a new one belongs here.
 *
 * @param schema quoted and ready to interpolate
 */
export function merchantStatements(schema: string): Statement[] {
  return FAMILIES.flatMap((family) => Object.values<Statement>(family(schema)))
}
