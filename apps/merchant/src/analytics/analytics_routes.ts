import { Id, json, Nullable, OneOf, type Route, type RouteRequest, type RouteSchema, route } from '@tailwater/http'
import type { Database } from '@tailwater/postgres'
import { Type } from 'typebox'
import { type Gate, type Scope, scopeOf } from '../accounts/caller.ts'
import { Moment } from '../api/field.ts'
import type { ShopCaches } from '../caches/shop_caches.ts'
import { shopTags } from '../caches/shop_tags.ts'
import { type AnalyticsStatements, analyticsStatements, type ScopedStatement } from './analytics_statements.ts'
import { Amount, Count, salesFigures } from './figures.ts'
import { PeriodQuery, periodValues } from './period.ts'

/** What the analytics are made of. */
export interface AnalyticsParts {
  database: Database
  /** Quoted and ready to interpolate. */
  schema: string
  gate: Gate
  caches: ShopCaches
}

/** A request for figures of a period. */
type PeriodRequest = Pick<RouteRequest, 'exchange'> & { query: { merchant?: number; from?: string; to?: string } }

/** Reads rows for the scope and the period of a request, with further values after them. */
type Read = <Row>(statement: ScopedStatement, request: PeriodRequest, ...more: unknown[]) => Promise<Row[]>

interface Analytics {
  read: Read
  statements: AnalyticsStatements
  /** A route of the analytics, closed to strangers. */
  define<const S extends RouteSchema>(
    route: Pick<Route<S>, 'path' | 'id' | 'summary' | 'description' | 'schema' | 'handler'>,
  ): Route
}

/** The routes of the analytics: a merchant sees its own figures, administrators everybody's or one merchant's. */
export function analyticsRoutes({ database, schema, gate, caches }: AnalyticsParts): Route[] {
  const source = caches.sourceOf(database)
  const analytics: Analytics = {
    statements: analyticsStatements(schema),
    async read<Row>(statement: ScopedStatement, { query, exchange }: PeriodRequest, ...more: unknown[]) {
      const scope = scopeOf(exchange, query.merchant)
      const values = [scope, ...periodValues(query), ...more]
      return (await source.query<Row>(scope === null ? statement.all : statement.one, values)).rows
    },
    define: ({ handler, ...own }) =>
      route({
        method: 'GET',
        tags: ['analytics'],
        security: ['bearer'],
        use: [gate.required],
        ...own,
        handler(request) {
          const { query, exchange } = request as unknown as PeriodRequest
          const scope = scopeOf(exchange, query.merchant)
          return caches.analytics.answer(questionOf(own.id, query, scope), async (loading) => {
            loading.addTags(...tagsOf(scope))
            return json(await handler(request))
          })
        },
      }),
  }
  return [
    summaryRoute(analytics),
    salesRoute(analytics),
    topProductsRoute(analytics),
    customersRoute(analytics),
    countriesRoute(analytics),
  ]
}

/** With whose figures they are: a merchant's are under keys of its own. */
function questionOf(id: string, { merchant: _, ...query }: PeriodRequest['query'], scope: Scope): string {
  return JSON.stringify([id, scope, Object.entries(query).sort()])
}

/** Figures are of orders, and name products and customers. */
function tagsOf(scope: Scope): string[] {
  const catalogue = scope === null ? shopTags.catalogue : shopTags.catalogueOf(scope)
  return [shopTags.sales(scope), shopTags.customers(scope), catalogue]
}

const Limit = Type.Integer({ minimum: 1, maximum: 100, default: 10, description: 'How many, best first.' })

const Summary = Type.Object({
  ...salesFigures,
  customers: Count('Different customers who bought or returned something.'),
  products: Count('Different products on these lines.'),
  averageOrderValue: Nullable(Amount('grossRevenue by orders, to three decimals; null without orders.')),
  currency: Nullable(Type.String({ description: 'Null when the sums are of several currencies.' })),
  from: Nullable(Type.String({ format: 'date', description: 'The first day with sales.' })),
  to: Nullable(Type.String({ format: 'date', description: 'The last day with sales.' })),
})

function summaryRoute({ read, statements, define }: Analytics): Route {
  return define({
    path: '/analytics/summary',
    id: 'analyticsSummary',
    summary: 'What was sold in a period, in one row',
    description: "A line counts on the day of its own date, in its merchant's time zone.",
    schema: { query: Type.Object(PeriodQuery), response: { 200: Summary } },
    async handler(request) {
      const [[sums], [people], [goods]] = await Promise.all([
        read<object>(statements.summary, request),
        read<{ customers: number }>(statements.customerCount, request),
        read<{ products: number }>(statements.productCount, request),
      ])
      return { ...sums, ...people, ...goods }
    },
  })
}

function salesRoute({ read, statements, define }: Analytics): Route {
  const Day = Type.Object({ day: Type.String({ format: 'date' }), ...salesFigures })
  return define({
    path: '/analytics/sales',
    id: 'analyticsSales',
    summary: 'Sales by day, week or month',
    description:
      'Days without sales are left out. A week begins on Monday, and is named by its first day as a month is.',
    schema: {
      query: Type.Object({ ...PeriodQuery, by: Type.Optional(OneOf(['day', 'week', 'month'])) }),
      response: { 200: Type.Object({ data: Type.Array(Day) }) },
    },
    handler: async (request) => ({ data: await read(statements.sales, request, request.query.by ?? 'day') }),
  })
}

function topProductsRoute({ read, statements, define }: Analytics): Route {
  const Product = Type.Object({
    id: Id,
    sku: Type.String(),
    title: Type.String(),
    merchantId: Id,
    lines: salesFigures.lines,
    units: salesFigures.units,
    netRevenue: salesFigures.netRevenue,
  })
  return define({
    path: '/analytics/top-products',
    id: 'analyticsTopProducts',
    summary: 'The products that sold best',
    schema: {
      query: Type.Object({
        ...PeriodQuery,
        by: Type.Optional(OneOf(['revenue', 'units'])),
        services: Type.Boolean({
          default: false,
          description: 'Whether postage, fees, vouchers and the like take part.',
        }),
        limit: Limit,
      }),
      response: { 200: Type.Object({ data: Type.Array(Product) }) },
    },
    async handler(request) {
      const { by, limit, services } = request.query
      return {
        data: await read(by === 'units' ? statements.topByUnits : statements.topByRevenue, request, limit, services),
      }
    },
  })
}

function customersRoute({ read, statements, define }: Analytics): Route {
  const Customer = Type.Object({
    id: Id,
    externalId: Nullable(Type.String()),
    name: Type.String(),
    country: Type.String(),
    orders: salesFigures.orders,
    returns: salesFigures.returns,
    netRevenue: salesFigures.netRevenue,
    firstOrderAt: Moment,
    lastOrderAt: Moment,
  })
  const Answer = Type.Object({
    customers: Count('Different customers who bought or returned something in the period.'),
    newCustomers: Count('Those of them who had never done so before.'),
    returningCustomers: Count('Those of them who had.'),
    data: Type.Array(Customer, {
      description: 'Those who brought the most revenue; their first and last order in the period.',
    }),
  })
  return define({
    path: '/analytics/customers',
    id: 'analyticsCustomers',
    summary: 'Customers: new, returning, and the best',
    schema: { query: Type.Object({ ...PeriodQuery, limit: Limit }), response: { 200: Answer } },
    async handler(request) {
      const [[counted], [known], data] = await Promise.all([
        read<{ customers: number }>(statements.customerCount, request),
        // Before the beginning of time nobody bought.
        request.query.from === undefined ? [] : read<{ returning: number }>(statements.returningCount, request),
        read(statements.topCustomers, request, request.query.limit),
      ])
      const { customers } = counted!
      const returningCustomers = known?.returning ?? 0
      return { customers, newCustomers: customers - returningCustomers, returningCustomers, data }
    },
  })
}

function countriesRoute({ read, statements, define }: Analytics): Route {
  const Country = Type.Object({
    country: Type.String(),
    ...salesFigures,
    share: Type.Number({ description: 'Of the net revenue of all countries, to six decimals.' }),
  })
  return define({
    path: '/analytics/countries',
    id: 'analyticsCountries',
    summary: 'Sales by country, that of the most revenue first',
    schema: {
      query: Type.Object(PeriodQuery),
      response: { 200: Type.Object({ data: Type.Array(Country) }) },
    },
    handler: async (request) => ({ data: await read(statements.countries, request) }),
  })
}
