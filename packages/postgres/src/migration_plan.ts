import { createHash } from 'node:crypto'
import { TailwaterError } from '@tailwater/core'
import type { MigrationModule } from './migration.ts'

/** A migration of the code, named and fingerprinted. */
export interface KnownMigration {
  readonly module: string
  readonly version: number
  readonly name: string
  readonly checksum: string
  readonly up: (schema: string) => string
}

/** A row of the migrations table. */
export interface AppliedMigration {
  readonly module: string
  readonly version: number
  readonly name: string
  readonly checksum: string
  /** ISO 8601. */
  readonly appliedAt: string
}

/** What there is to do, and what the database has beyond this code. */
export interface MigrationPlan {
  readonly applied: readonly AppliedMigration[]
  /** In the order in which they are applied. */
  readonly pending: readonly KnownMigration[]
  /** Applied by a newer release that runs beside this one, or ran before it. */
  readonly newer: readonly AppliedMigration[]
}

/**
 * All migrations of the modules in the order they are applied.
 *
 * @throws E_MIGRATION_ORDER when a module appears twice or its versions are not 1, 2, 3, …
 */
export function listMigrations(modules: readonly MigrationModule[]): KnownMigration[] {
  const seen = new Set<string>()
  return modules.flatMap(({ module, migrations }) => {
    if (seen.has(module))
      throw new TailwaterError('E_MIGRATION_ORDER', `the migration module '${module}' is given twice`, { module })
    seen.add(module)
    return migrations.map((migration, index) => {
      if (migration.version !== index + 1) throw misnumbered(module, migration.version, index + 1)
      return {
        module,
        version: migration.version,
        name: migration.name,
        checksum: checksumOf(migration.up),
        up: migration.up,
      }
    })
  })
}

function misnumbered(module: string, version: number, expected: number): TailwaterError {
  return new TailwaterError(
    'E_MIGRATION_ORDER',
    `migration ${version} of '${module}' stands where ${expected} is expected: versions count from 1 without gaps`,
    { module, version, expected },
  )
}

/** Of the statements under a fixed schema name and without their layout, so that re-indenting a source file changes nothing. */
function checksumOf(up: (schema: string) => string): string {
  return createHash('sha256').update(up('"schema"').replace(/\s+/g, ' ').trim()).digest('hex')
}

/**
 * Compares the code with the migrations table.
 *
 * @throws E_MIGRATION_CHANGED when an applied migration reads differently now
 * @throws E_MIGRATION_ORDER when one is missing before an applied one
 */
export function planMigrations(known: readonly KnownMigration[], applied: readonly AppliedMigration[]): MigrationPlan {
  const rows = new Map(applied.map((row) => [keyOf(row), row]))
  for (const migration of known) {
    const row = rows.get(keyOf(migration))
    if (row && row.checksum !== migration.checksum) throw changed(migration, row)
  }
  const pending = known.filter((migration) => !rows.has(keyOf(migration)))
  for (const gap of pending) {
    const later = applied.find((row) => row.module === gap.module && row.version > gap.version)
    if (later) throw missing(gap, later)
  }
  const keys = new Set(known.map(keyOf))
  return { applied, pending, newer: applied.filter((row) => !keys.has(keyOf(row))) }
}

const keyOf = ({ module, version }: { module: string; version: number }) => `${module}:${version}`

function changed(migration: KnownMigration, row: AppliedMigration): TailwaterError {
  return new TailwaterError(
    'E_MIGRATION_CHANGED',
    `migration ${label(migration)} was applied on ${row.appliedAt} and has been changed since: put it back as it was, and write the change as a new migration`,
    { module: migration.module, version: migration.version, expected: row.checksum, got: migration.checksum },
  )
}

function missing(gap: KnownMigration, later: AppliedMigration): TailwaterError {
  return new TailwaterError(
    'E_MIGRATION_ORDER',
    `migration ${label(gap)} has not been applied, but ${label(later)} has: it was put in before one that is already in the database`,
    { module: gap.module, version: gap.version, applied: later.version },
  )
}

/** How a migration is named to people. */
export function label({ module, version, name }: { module: string; version: number; name: string }): string {
  return `${module}/${version} (${name})`
}
