import { problem, type Route, route } from '@tailwater/http'
import type { Database } from '@tailwater/postgres'
import { Type } from 'typebox'
import { callerOf, type Gate, ownerOf, ScopeQuery } from '../accounts/caller.ts'
import { type AuditTrail, actorOf } from '../audit/audit_trail.ts'
import { explainConstraints } from '../database/constraint.ts'
import { noPreferences, type Preferences, preferencesSchema } from './notification.ts'
import type { NotificationStatements } from './notification_statements.ts'

/** What the routes of preferences are made of. */
export interface PreferenceRouteParts {
  database: Database
  statements: NotificationStatements
  audit: AuditTrail
  gate: Gate
}

const Query = Type.Object({ ...ScopeQuery })
const tags = ['notifications']
const security = ['bearer']

/** The routes by which a merchant says where else it wants to hear of things. */
export function preferenceRoutes(parts: PreferenceRouteParts): Route[] {
  return [showRoute(parts), replaceRoute(parts)]
}

function showRoute({ database, statements, gate }: PreferenceRouteParts): Route {
  return route({
    method: 'GET',
    path: '/notification-preferences',
    id: 'showNotificationPreferences',
    summary: 'Where a merchant hears of things besides its inbox',
    tags,
    security,
    use: [gate.required],
    schema: { query: Query, response: { 200: preferencesSchema } },
    async handler({ query, exchange }) {
      const { rows } = await database.query<Preferences>(statements.preferences, [ownerOf(exchange, query.merchant)])
      return rows[0] ?? noPreferences
    },
  })
}

function replaceRoute({ database, statements, audit, gate }: PreferenceRouteParts): Route {
  return route({
    method: 'PUT',
    path: '/notification-preferences',
    id: 'replaceNotificationPreferences',
    summary: 'Say where a merchant wants to hear of things',
    tags,
    security,
    use: [gate.required],
    schema: { query: Query, body: preferencesSchema, response: { 200: preferencesSchema } },
    async handler({ query, body, exchange }) {
      const merchantId = ownerOf(exchange, query.merchant)
      requireAddress(body)
      const { email, phone, byEmail, bySms } = body
      const actor = actorOf(callerOf(exchange))
      const details = { byEmail, bySms }
      await explainConstraints(() =>
        database.transaction(async (tx) => {
          await tx.query(statements.setPreferences, [merchantId, email, phone, byEmail, bySms])
          await audit.record(tx, { merchantId, actor, action: 'notification-preferences.changed', details })
        }),
      )
      return body
    },
  })
}

/** Whoever wants to hear by a way must be there. @throws E_CONTACT_MISSING */
function requireAddress({ email, phone, byEmail, bySms }: Preferences): void {
  const errors = []
  if (byEmail.length > 0 && email === null) errors.push(missing('email'))
  if (bySms.length > 0 && phone === null) errors.push(missing('phone'))
  if (errors.length > 0)
    throw problem(422, 'E_CONTACT_MISSING', 'An address is missing for what is wanted.', { errors })
}

function missing(field: string) {
  return { path: `/body/${field}`, message: 'is needed for what is wanted by this way', code: 'required' }
}
