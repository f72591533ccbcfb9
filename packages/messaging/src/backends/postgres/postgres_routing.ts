import { type Database, DEFAULT_SCHEMA, quoteSchema, statement, type Transaction } from '@tailwater/postgres'
import type { Binding, ExchangeSpec, SubscriptionSpec } from '../../backend/topology_port.ts'
import type { RoutingStore, RoutingTable } from '../../routing/routing_table.ts'

/** Declarations in PostgreSQL; `messagingMigrations` make the tables. */
export function createPostgresRouting({
  database,
  schema: schemaName = DEFAULT_SCHEMA,
}: {
  database: Database
  schema?: string
}): RoutingStore {
  const schema = quoteSchema(schemaName)
  const sql = routingSql(schema, schemaName)

  /** A change with its new version; the row of the version makes changes take turns. */
  function change<T>(act: (tx: Transaction) => Promise<T>): Promise<T> {
    return database.transaction(async (tx) => {
      await tx.query(sql.bump)
      return act(tx)
    })
  }

  return {
    async version() {
      const { rows } = await database.query<{ version: string }>(sql.version)
      return rows[0]!.version
    },
    async read() {
      const { rows } = await database.query<{ table: string }>(sql.read)
      return tableOf(JSON.parse(rows[0]!.table) as StoredTable)
    },
    async putExchange({ name, type }) {
      const standing = await database.query<ExchangeSpec>(sql.exchange, [name])
      if (standing.rows[0]) return { name, type: standing.rows[0].type }
      return change(async (tx) => {
        await tx.query(sql.putExchange, [name, type])
        const { rows } = await tx.query<ExchangeSpec>(sql.exchange, [name])
        return { name, type: rows[0]!.type }
      })
    },
    async putSubscription(subscription) {
      const spec = JSON.stringify(subscription)
      const standing = await database.query<{ spec: string }>(sql.subscription, [subscription.name])
      if (standing.rows[0]?.spec === spec) return
      await change((tx) => tx.query(sql.putSubscription, [subscription.name, spec]))
    },
    async removeSubscription(name) {
      const { rows } = await change((tx) => tx.query(sql.removeSubscription, [name]))
      return rows.length > 0
    },
    async putListener({ id, bindings }, ttl) {
      const { rows } = await database.query(sql.renewListener, [id, String(ttl)])
      const { rows: dead } = await database.query(sql.deadListener)
      if (rows.length > 0 && dead.length === 0) return
      await change(async (tx) => {
        await tx.query(sql.putListener, [id, JSON.stringify(bindings), String(ttl)])
        await tx.query(sql.forgetListeners)
      })
    },
    async removeListener(id) {
      await change((tx) => tx.query(sql.removeListener, [id]))
    },
  }
}

interface StoredTable {
  version: string
  exchanges: readonly ExchangeSpec[]
  subscriptions: readonly string[]
  listeners: readonly { id: string; bindings: string }[]
}

function tableOf({ version, exchanges, subscriptions, listeners }: StoredTable): RoutingTable {
  return {
    version,
    exchanges,
    subscriptions: subscriptions.map((spec) => specOf(JSON.parse(spec))),
    listeners: listeners.map(({ id, bindings }) => ({ id, bindings: JSON.parse(bindings) as Binding[] })),
  }
}

/** JSON leaves out what is undefined. */
const specOf = (stored: SubscriptionSpec): SubscriptionSpec => ({
  ...stored,
  ttl: stored.ttl ?? undefined,
  maxLength: stored.maxLength ?? undefined,
})

/** Every look-up is by a primary key, or of a small table. */
function routingSql(schema: string, schemaName: string) {
  const named = (name: string, text: string) => statement(`tw_msg_${name}:${schemaName}`, text)
  const until = (parameter: string) => `${schema}.now() + ${parameter}::text::float8 * interval '1 millisecond'`
  return {
    version: named('version', `SELECT version::text FROM ${schema}.message_topology`),
    // In one statement, and so of one moment.
    read: named(
      'read',
      `SELECT json_build_object(
         'version', (SELECT version::text FROM ${schema}.message_topology),
         'exchanges', (SELECT coalesce(json_agg(json_build_object('name', name, 'type', type) ORDER BY name), '[]') FROM ${schema}.message_exchanges),
         'subscriptions', (SELECT coalesce(json_agg(spec ORDER BY name), '[]') FROM ${schema}.message_subscriptions),
         'listeners', (SELECT coalesce(json_agg(json_build_object('id', id, 'bindings', bindings)), '[]') FROM ${schema}.message_listeners
                       WHERE alive_until > ${schema}.now())
       )::text AS table`,
    ),
    bump: `UPDATE ${schema}.message_topology SET version = version + 1`,
    exchange: `SELECT name, type FROM ${schema}.message_exchanges WHERE name = $1::text`,
    putExchange: `INSERT INTO ${schema}.message_exchanges (name, type) VALUES ($1::text, $2::text) ON CONFLICT (name) DO NOTHING`,
    subscription: `SELECT spec FROM ${schema}.message_subscriptions WHERE name = $1::text`,
    putSubscription: `INSERT INTO ${schema}.message_subscriptions (name, spec) VALUES ($1::text, $2::text)
       ON CONFLICT (name) DO UPDATE SET spec = excluded.spec`,
    removeSubscription: `DELETE FROM ${schema}.message_subscriptions WHERE name = $1::text RETURNING name`,
    renewListener: `UPDATE ${schema}.message_listeners SET alive_until = ${until('$2')} WHERE id = $1::text RETURNING id`,
    deadListener: `SELECT id FROM ${schema}.message_listeners WHERE alive_until <= ${schema}.now() LIMIT 1`,
    putListener: `INSERT INTO ${schema}.message_listeners (id, bindings, alive_until) VALUES ($1::text, $2::text, ${until('$3')})
       ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`,
    forgetListeners: `DELETE FROM ${schema}.message_listeners WHERE alive_until <= ${schema}.now()`,
    removeListener: `DELETE FROM ${schema}.message_listeners WHERE id = $1::text`,
  }
}
