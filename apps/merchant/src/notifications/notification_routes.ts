import { createKeyset, OneOf, Page, pageQuery, problem, type Route, route } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { type Gate, type Scope, ScopeQuery, scopeOf } from '../accounts/caller.ts'
import { IdParams } from '../api/field.ts'
import type { ListParts } from '../api/list_answer.ts'
import { createTableList } from '../api/table_list.ts'
import type { Parameters } from '../database/list_statement.ts'
import { type Notification, notificationSchema, topics } from './notification.ts'
import { NOTIFICATION_COLUMNS, type NotificationStatements } from './notification_statements.ts'

/** What the routes of inboxes are made of. */
export interface NotificationRouteParts extends ListParts {
  /** Quoted and ready to interpolate. */
  schema: string
  statements: NotificationStatements
  gate: Gate
}

const ListQuery = Type.Object({
  ...ScopeQuery,
  unread: Type.Optional(Type.Boolean({ description: 'true for those that were not read yet.' })),
  topic: Type.Optional(OneOf(topics)),
  ...pageQuery,
})

type ListQuery = Static<typeof ListQuery>

const NEWEST_FIRST = createKeyset([{ sql: 'n.id', type: 'bigint', direction: 'desc' }])
const tags = ['notifications']
const security = ['bearer']

/** The routes of a merchant's inbox. */
export function notificationRoutes(parts: NotificationRouteParts): Route[] {
  return [listRoute(parts), readRoute(parts)]
}

function listRoute(parts: NotificationRouteParts): Route {
  const list = createTableList<ListQuery>(parts, {
    operation: 'listNotifications',
    columns: NOTIFICATION_COLUMNS,
    from: `${parts.schema}.notifications n`,
    conditions: conditionsOf,
    // What was just marked as read is to be seen so, and a replica may be behind.
    source: parts.database,
  })
  return route({
    method: 'GET',
    path: '/notifications',
    id: 'listNotifications',
    summary: "A merchant's notifications, the newest first",
    tags,
    security,
    use: [parts.gate.required],
    schema: { query: ListQuery, response: { 200: Page(notificationSchema) } },
    handler: ({ query, exchange }) => list(query, scopeOf(exchange, query.merchant), NEWEST_FIRST),
  })
}

function conditionsOf({ unread, topic }: ListQuery, scope: Scope, parameters: Parameters): string[] {
  const conditions: string[] = []
  if (scope !== null) conditions.push(`n.merchant_id = ${parameters.add(scope, 'bigint')}`)
  if (unread !== undefined) conditions.push(`n.read_at IS ${unread ? '' : 'NOT '}NULL`)
  if (topic !== undefined) conditions.push(`n.topic = ${parameters.add(topic, 'text')}`)
  return conditions
}

function readRoute({ database, statements, gate }: NotificationRouteParts): Route {
  return route({
    method: 'POST',
    path: '/notifications/:id/read',
    id: 'readNotification',
    summary: 'Mark a notification as read',
    description: 'The first time counts: reading it again changes nothing.',
    tags,
    security,
    use: [gate.required],
    schema: { params: IdParams, query: Type.Object({ ...ScopeQuery }), response: { 200: notificationSchema } },
    async handler({ params, query, exchange }) {
      const scope = scopeOf(exchange, query.merchant)
      const { rows } = await database.query<Notification>(statements.read, [params.id, scope])
      if (!rows[0]) throw problem(404, 'E_NOT_FOUND', `There is no notification ${params.id}.`)
      return rows[0]
    },
  })
}
