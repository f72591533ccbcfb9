import type { Database, Transaction } from '../database.ts'
import { statement } from '../queryable.ts'
import { quoteSchema } from '../schema_name.ts'

/** A value as it is stored: the text of its JSON. */
export interface StoredSetting {
  name: string
  json: string
  /** Milliseconds since the Unix epoch. */
  updatedAt: number
}

/** Who changes a setting, and why. */
export interface SettingAuthor {
  /** A person or a program: `admin@example.com`, `deploy`. */
  who: string
  reason?: string
}

/** One change, as the audit keeps it. */
export interface SettingChange {
  id: number
  name: string
  who: string
  /** As it was written; undefined where the default was in force. */
  old: unknown
  new: unknown
  reason: string | undefined
  /** Milliseconds since the Unix epoch. */
  changedAt: number
}

/** Which changes. */
export interface HistoryQuery {
  name?: string
  /** @default 100 */
  limit?: number
  /** Changes before this id. */
  before?: number
}

/** The settings' tables. */
export interface SettingStore {
  load(): Promise<StoredSetting[]>
  /** Stores a value, or with undefined lets the default be in force again, with its line in the audit; false when nothing changed. */
  write(tx: Transaction, name: string, json: string | undefined, author: SettingAuthor): Promise<boolean>
  history(query: HistoryQuery): Promise<SettingChange[]>
}

interface AuditRow {
  id: number
  name: string
  who: string
  old: string | null
  new: string | null
  reason: string | null
  changedAt: number
}

/** Settings in a schema. */
export function createSettingStore(database: Database, schemaName: string): SettingStore {
  const sql = settingSql(schemaName)
  return {
    async load() {
      const { rows } = await database.query<StoredSetting>(sql.load)
      return rows
    },
    async write(tx, name, json, { who, reason }) {
      // Two that set one name: the second must see the first one's value as the old one, also when there is no row yet to lock.
      await tx.query(sql.lock, [name])
      const { rows } = await tx.query(sql.audit, [name, who, json ?? null, reason ?? null])
      if (rows.length === 0) return false
      if (json === undefined) await tx.query(sql.reset, [name])
      else await tx.query(sql.set, [name, json])
      return true
    },
    async history({ name, limit = 100, before }) {
      const values = [name ?? null, before === undefined ? null : String(before), String(limit)]
      const { rows } = await database.query<AuditRow>(name === undefined ? sql.history : sql.historyOf, values)
      return rows.map((row) => ({
        ...row,
        old: parsed(row.old),
        new: parsed(row.new),
        reason: row.reason ?? undefined,
      }))
    },
  }
}

const parsed = (json: string | null): unknown => (json === null ? undefined : JSON.parse(json))

function settingSql(schemaName: string) {
  const schema = quoteSchema(schemaName)
  const named = (name: string, text: string) => statement(`tw_setting_${name}:${schemaName}`, text)
  const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`
  const changes = `SELECT id, name, who, old_value::text AS old, new_value::text AS new, reason, ${ms('changed_at')} AS "changedAt"
    FROM ${schema}.settings_audit`
  const before = `($2::text IS NULL OR id < $2::text::bigint)`
  return {
    load: named('load', `SELECT name, value::text AS json, ${ms('updated_at')} AS "updatedAt" FROM ${schema}.settings`),
    lock: named(
      'lock',
      `SELECT pg_advisory_xact_lock(hashtextextended('tailwater:setting:${schemaName}:' || $1::text, 0))`,
    ),
    /** $1 name, $2 who, $3 value or null, $4 reason. Nothing when the value stays what it is. settings_pkey */
    audit: named(
      'audit',
      `INSERT INTO ${schema}.settings_audit (name, who, old_value, new_value, reason, changed_at)
       SELECT $1::text, $2::text, old.value, $3::text::jsonb, $4::text, ${schema}.now()
       FROM (SELECT (SELECT value FROM ${schema}.settings WHERE name = $1::text) AS value) AS old
       WHERE old.value IS DISTINCT FROM $3::text::jsonb RETURNING id::text`,
    ),
    set: named(
      'set',
      `INSERT INTO ${schema}.settings (name, value, updated_at) VALUES ($1::text, $2::text::jsonb, ${schema}.now())
       ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
    ),
    reset: named('reset', `DELETE FROM ${schema}.settings WHERE name = $1::text`),
    /** settings_audit_pkey, backwards */
    history: named(
      'history',
      `${changes} WHERE $1::text IS NULL AND ${before} ORDER BY id DESC LIMIT $3::text::integer`,
    ),
    /** settings_audit_by_name */
    historyOf: named(
      'history_of',
      `${changes} WHERE name = $1::text AND ${before} ORDER BY id DESC LIMIT $3::text::integer`,
    ),
  }
}
