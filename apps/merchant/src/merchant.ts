import type { Clock, FileStore, Keyring, Mailer, Service } from '@tailwater/core'
import { createCursors, createTotals, type Route } from '@tailwater/http'
import type { Jobs } from '@tailwater/jobs'
import type { Messaging } from '@tailwater/messaging'
import { type Database, quoteSchema } from '@tailwater/postgres'
import { accountStatements } from './accounts/account_statements.ts'
import { apiKeyRoutes } from './accounts/api_key_routes.ts'
import { createGate, type Gate } from './accounts/caller.ts'
import { createIdentity } from './accounts/identity.ts'
import { merchantRoutes } from './accounts/merchant_routes.ts'
import { tokenRoute } from './accounts/token_route.ts'
import { analyticsRoutes } from './analytics/analytics_routes.ts'
import { createSalesDaysSweeper } from './analytics/sales_days.ts'
import type { AuditTrail } from './audit/audit_trail.ts'
import { noCaches, type ShopCaches } from './caches/shop_caches.ts'
import type { ShopChanges } from './caches/shop_changes.ts'
import { warmStatements } from './caches/warm_statements.ts'
import { createWarmUp, type WarmingProgress } from './caches/warm_up.ts'
import { categoryRoutes } from './catalogue/category_routes.ts'
import { categoryStatements } from './catalogue/category_statements.ts'
import { productEditRoutes } from './catalogue/product_edit_routes.ts'
import { createProductPages } from './catalogue/product_pages.ts'
import { readProducts } from './catalogue/product_reading.ts'
import { productRoutes } from './catalogue/product_routes.ts'
import { productStatements } from './catalogue/product_statements.ts'
import { customerRoutes } from './customers/customer_routes.ts'
import { customerStatements } from './customers/customer_statements.ts'
import { defineShopEvents, type ShopEvents } from './events/shop_events.ts'
import { listingRoutes } from './marketplaces/listing_routes.ts'
import { marketplaceRoutes } from './marketplaces/marketplace_routes.ts'
import type { MarketplaceAccount } from './marketplaces/sync/connection.ts'
import {
  createMarketplaceSync,
  type MarketplaceSync,
  type MarketplaceSyncParts,
} from './marketplaces/sync/marketplace_sync.ts'
import { notificationRoutes } from './notifications/notification_routes.ts'
import { preferenceRoutes } from './notifications/preference_routes.ts'
import { abandonedStatements, createCheckoutSweeper } from './orders/abandoned_checkouts.ts'
import type { CaptureParts } from './orders/capture.ts'
import { createCheckout } from './orders/checkout.ts'
import { createIdempotency, idempotencyStatements } from './orders/idempotency.ts'
import { invoiceRoute } from './orders/invoice_route.ts'
import type { OrderFlow } from './orders/order_flow.ts'
import { orderListRoute } from './orders/order_list.ts'
import { orderRoutes } from './orders/order_routes.ts'
import { orderStatements } from './orders/order_statements.ts'
import { stockStatements } from './orders/stock.ts'
import type { PaymentProvider } from './payments/payment_provider.ts'
import { defineSettlement } from './payments/settlement.ts'
import { createSimulatedProvider } from './payments/simulated_provider.ts'
import type { QualityProvider } from './quality/quality_provider.ts'
import { qualityRoutes } from './quality/quality_routes.ts'
import { ruleProvider } from './quality/rule_provider.ts'
import { jobRoutes } from './queues/job_routes.ts'
import { defineWork, type Work, type WorkParts } from './queues/work.ts'
import { reportRoute } from './reports/report_route.ts'
import type { SmsProvider } from './sms/sms_provider.ts'
import { subscribeToShop } from './subscriptions/subscriptions.ts'

/** What the merchant's backend stands on. */
export interface MerchantParts {
  /** Started and migrated. */
  database: Database
  /** Name of the schema with the merchant's tables. */
  schema: string
  keyring: Keyring
  clock: Clock
  /** In front of the database; warmed by the services. @default nothing is kept */
  caches?: ShopCaches
  /** Told while the caches are warmed. */
  onWarming?: (progress: WarmingProgress) => void
  /** With the queues of `queuePolicies`. */
  jobs: Jobs
  /** With the database: what happens is published in the transaction that does it. */
  messaging: Messaging
  /** Where else products are sold. @default nowhere */
  marketplaces?: readonly MarketplaceAccount[]
  /** Milliseconds between two rounds in which marketplaces are asked for orders. @default 15_000 */
  marketplaceInterval?: number
  mailer: Mailer
  sms: SmsProvider
  /** Where invoices and reports are kept. */
  files: FileStore
  /** Judges products. @default rules, in this process */
  quality?: QualityProvider
  /** Whether a token is a platform administrator's, who sees all merchants. */
  verifyAdmin(token: string): Promise<{ id: string } | undefined>
  /** @default a simulation that moves no money */
  payments?: PaymentProvider
}

/** The merchant's backend. */
export interface Merchant {
  /** To be mounted under `/api`. */
  routes: Route[]
  /** To be started after the database and stopped before it. */
  services: Service[]
  /** For further routes of the application. */
  gate: Gate
  /** Asks the marketplaces whose turn it is for orders, now; how many were new. */
  askMarketplaces(): Promise<number>
  /** Has every marketplace told of so many of its listings, as if it had never heard of any; of how many. */
  tellMarketplaces(limit: number): Promise<number>
}

/**
 * Builds the merchant's backend: catalogue, customers, orders, accounts and analytics.
 *
 * @example
 * const merchant = createMerchant({ database, schema, keyring, clock, jobs, messaging, mailer, sms, files, verifyAdmin })
 * await app.register(fastifyRoutes(merchant.routes, { basePath: '/api' }))
 */
export function createMerchant(parts: MerchantParts): Merchant {
  const { database, keyring, clock, caches = noCaches } = parts
  const { changes } = caches
  const schema = quoteSchema(parts.schema)
  const shared = { database, schema, cursors: createCursors({ keyring }), totals: createTotals({ clock }) }
  const accounts = accountStatements(schema)
  const identity = createIdentity({ ...parts, statements: accounts })
  const gate = createGate(identity.identify)
  const statements = productStatements(schema)
  const products = caches.products(readProducts(database, statements))
  const pages = createProductPages({ ...shared, caches })
  const events = defineShopEvents(parts.messaging)
  const catalogue = { database, gate, changes, products, pages, statements, events }
  const work = createWork(parts, { schema, caches, products, pages, catalogue: statements })
  const orders = createOrders(parts, schema, { changes, flow: work.flow, audit: work.audit, events })
  const sync = openToOthers(parts, { ...orders, schema, gate, notify: work.notify, orders: orders.statements })
  const inbox = { ...shared, gate, audit: work.audit, statements: work.notifications }
  return {
    gate,
    askMarketplaces: sync.ask,
    tellMarketplaces: sync.tellAnew,
    routes: [
      tokenRoute({ database, statements: accounts, identity, clock }),
      ...merchantRoutes({ ...shared, gate, statements: accounts }),
      ...apiKeyRoutes({ ...shared, gate, statements: accounts }),
      ...productRoutes(catalogue),
      ...productEditRoutes(catalogue),
      ...categoryRoutes({ database, gate, caches, statements: categoryStatements(schema) }),
      ...customerRoutes({ ...shared, gate, changes, events, statements: customerStatements(schema) }),
      orderListRoute({ ...shared, gate }),
      ...orderRoutes({ ...orders, gate }),
      invoiceRoute({ ...orders, files: parts.files, gate }),
      ...marketplaceRoutes({ ...shared, gate }),
      ...listingRoutes({ ...shared, gate, caches, events }),
      ...sync.routes,
      ...analyticsRoutes({ database, schema, gate, caches }),
      reportRoute({ files: parts.files, gate }),
      ...notificationRoutes(inbox),
      ...preferenceRoutes(inbox),
      ...qualityRoutes({ products, qualityCheck: work.qualityCheck, gate }),
      ...jobRoutes({ jobs: parts.jobs, gate }),
    ],
    services: [
      createCheckoutSweeper({ ...orders, statements: abandonedStatements(schema), clock }),
      createSalesDaysSweeper({ database, schema, clock }),
      work.timetable,
      sync.rounds,
      ...warmUpOf(parts, { ...catalogue, schema }),
    ],
  }
}

type WarmedParts = Omit<Parameters<typeof createWarmUp>[0], 'hotProducts' | 'statements'> & { schema: string }

function warmUpOf({ caches, onWarming }: MerchantParts, { schema, ...warmed }: WarmedParts): Service[] {
  if (!caches) return []
  return [createWarmUp({ ...caches, ...warmed, statements: warmStatements(schema), onProgress: onWarming })]
}

type OutsideParts = Pick<
  MarketplaceSyncParts,
  'schema' | 'gate' | 'notify' | 'orders' | 'stock' | 'flow' | 'changes' | 'events'
> &
  Omit<CaptureParts, 'database'>

/** Marketplaces, and everybody else who hears of the shop's events. */
function openToOthers(parts: MerchantParts, outside: OutsideParts): MarketplaceSync {
  const { marketplaces: accounts = [], marketplaceInterval: interval } = parts
  const sync = createMarketplaceSync({ ...parts, ...outside, accounts, interval })
  subscribeToShop({ ...parts, ...outside, pushing: sync.pushing })
  return sync
}

type CatalogueParts = Pick<WorkParts, 'schema' | 'caches' | 'catalogue'> & NonNullable<WorkParts['warm']>

/** The jobs, on what the catalogue is made of. */
function createWork(parts: MerchantParts, { products, pages, ...catalogue }: CatalogueParts): Work {
  const { quality = ruleProvider, schema: schemaName } = parts
  const warm = parts.caches && { products, pages }
  return defineWork({ ...parts, ...catalogue, schemaName, quality, warm, orders: orderStatements(catalogue.schema) })
}

/** What orders need, wired together. */
function createOrders(
  parts: MerchantParts,
  schema: string,
  follow: { changes: ShopChanges; flow: OrderFlow; audit: AuditTrail; events: ShopEvents },
) {
  const { database, jobs, clock, payments = createSimulatedProvider({ clock }) } = parts
  const common = {
    database,
    statements: orderStatements(schema),
    payments,
    stock: stockStatements(schema),
    idempotency: createIdempotency(idempotencyStatements(schema)),
    ...defineSettlement(jobs, payments),
    ...follow,
  }
  return { ...common, checkout: createCheckout(common), cancellation: common, returns: common }
}
