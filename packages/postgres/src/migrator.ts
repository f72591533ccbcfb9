import {
  type Clock,
  type Duration,
  databaseMigration,
  duration,
  integer,
  notice,
  oneOf,
  optional,
  resolveOptions,
  sleep,
  systemClock,
  TailwaterError,
  text,
  value,
} from '@tailwater/core'
import type { Database, Transaction } from './database.ts'
import { sqlStateOf } from './errors.ts'
import { type Blocker, watchBlockers } from './lock_blockers.ts'
import type { MigrationModule } from './migration.ts'
import {
  type AppliedMigration,
  type KnownMigration,
  label,
  listMigrations,
  type MigrationPlan,
  planMigrations,
} from './migration_plan.ts'
import {
  createSchemaSql,
  createTableSql,
  grantsSql,
  lockSql,
  recordSql,
  timeoutSql,
  transactionText,
} from './migration_sql.ts'
import { DEFAULT_SCHEMA, quoteSchema } from './schema_name.ts'

/** Whether `run` applies what is pending, refuses to go on with it, or does nothing. */
export type MigrationMode = 'auto' | 'check' | 'off'

/** How a migrator is made. */
export interface MigratorOptions {
  database: Pick<Database, 'query' | 'transaction'>
  /** @default 'tailwater' */
  schema?: string
  /** In the order in which they depend on each other; `tailwaterMigrations` first. */
  modules: readonly MigrationModule[]
  /** @default 'auto' */
  mode?: MigrationMode
  /**
   * How long a migration may wait for a table before it lets those queued behind it through and tries again.
   * @default '5s'
   */
  lockTimeout?: Duration
  /** How many times more it tries. @default 5 */
  lockRetries?: number
  /** How long to wait for another process that is migrating. @default '10m' */
  patience?: Duration
  /** How long one migration may run. @default '1h' */
  timeout?: Duration
  /** A run-time role without DDL that `run` grants its rights to. */
  role?: string
  /** @default systemClock */
  clock?: Clock
}

/** What the database has and lacks. */
export interface MigrationStatus {
  applied: readonly AppliedMigration[]
  pending: readonly { module: string; version: number; name: string }[]
  /** Applied by a newer release. */
  newer: readonly AppliedMigration[]
}

/** Brings a schema to the shape that the code expects. */
export interface Migrator {
  /** @throws E_MIGRATION_CHANGED, E_MIGRATION_ORDER */
  status(): Promise<MigrationStatus>
  /**
   * Does what the mode says; resolves to what this process applied.
   * @throws E_MIGRATIONS_PENDING in mode `check`
   * @throws E_MIGRATION_LOCKED naming who holds the lock, E_MIGRATION_FAILED; migrations before the failed one stay applied
   */
  run(): Promise<{ module: string; version: number; name: string }[]>
  /** The SQL that `run` would execute in mode `auto`, to be run by hand. */
  print(): Promise<string>
  /** The SQL that lets `role` run the application without DDL. */
  grants(role: string): string
}

/** Options with defaults filled in and values checked. */
export function resolveMigratorOptions(options: MigratorOptions) {
  const isDatabase = (given: unknown) => typeof (given as Database | undefined)?.transaction === 'function'
  const resolved = resolveOptions('createMigrator', options, {
    database: value<MigratorOptions['database']>('a Database', isDatabase),
    schema: text({ default: DEFAULT_SCHEMA }),
    modules: value<readonly MigrationModule[]>('a list of migration modules', Array.isArray),
    mode: oneOf(['auto', 'check', 'off'], { default: 'auto' }),
    lockTimeout: duration({ default: '5s', min: 1 }),
    lockRetries: integer({ min: 0, default: 5 }),
    patience: duration({ default: '10m' }),
    timeout: duration({ default: '1h', min: 1 }),
    role: optional(text()),
    clock: value<Clock>('a Clock', (given) => typeof (given as Clock | undefined)?.after === 'function', {
      default: systemClock,
    }),
  })
  return {
    ...resolved,
    quoted: quoteSchema(resolved.schema, 'createMigrator.schema'),
    known: listMigrations(resolved.modules),
  }
}

type Settings = ReturnType<typeof resolveMigratorOptions>

/** Waits between two attempts at a lock, in milliseconds; doubled each time. */
const FIRST_RETRY_MS = 250
/** SQLSTATE lock_not_available: `lock_timeout` ran out. */
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Makes the runner of migrations.
 *
 * @example
 * const migrator = createMigrator({ database, schema: 'shop', modules: [tailwaterMigrations, shopMigrations] })
 * await migrator.run()
 */
export function createMigrator(options: MigratorOptions): Migrator {
  const settings = resolveMigratorOptions(options)
  return {
    async status() {
      const { applied, pending, newer } = await readPlan(settings, settings.database)
      return { applied, pending: pending.map(nameOf), newer }
    },
    async run() {
      if (settings.mode === 'off') return []
      const plan = await readPlan(settings, settings.database)
      if (plan.newer.length > 0) tellOfNewer(settings, plan)
      if (settings.mode === 'check') {
        if (plan.pending.length > 0) throw pendingError(settings, plan.pending)
        return []
      }
      return applyAll(settings, plan)
    },
    print: () => printPlan(settings),
    grants: (role) => `${grantsSql(settings.quoted, role).join(';\n')};\n`,
  }
}

type Runner = Pick<Transaction, 'query'>

async function readPlan({ quoted, known }: Settings, runner: Runner): Promise<MigrationPlan> {
  const { rows: found } = await runner.query<{ table: string | null }>('SELECT to_regclass($1::text)::text AS table', [
    `${quoted}.migrations`,
  ])
  if (!found[0]?.table) return planMigrations(known, [])
  const { rows } = await runner.query<AppliedMigration>(
    `SELECT module, version, name, checksum, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "appliedAt"
     FROM ${quoted}.migrations ORDER BY module, version -- migrations_pkey`,
  )
  return planMigrations(known, rows)
}

async function hasSchema({ schema }: Settings, runner: Runner): Promise<boolean> {
  const { rows } = await runner.query('SELECT 1 FROM pg_namespace WHERE nspname = $1::text', [schema])
  return rows.length > 0
}

async function applyAll(settings: Settings, plan: MigrationPlan) {
  const done: { module: string; version: number; name: string }[] = []
  if (plan.pending.length > 0) {
    await underLock(settings, 'the migrations table', async (tx) => {
      if (!(await hasSchema(settings, tx))) await tx.query(createSchemaSql(settings.quoted))
      await tx.query(createTableSql(settings.quoted))
    })
  }
  for (const migration of plan.pending) if (await applyOne(settings, migration)) done.push(nameOf(migration))
  if (settings.role) await applyGrants(settings, settings.role)
  return done
}

/** False when another process got there first. */
async function applyOne(settings: Settings, migration: KnownMigration): Promise<boolean> {
  const from = settings.clock.elapsed()
  const applied = await underLock(settings, `migration ${label(migration)}`, async (tx) => {
    const { pending } = await readPlan(settings, tx)
    if (!pending.includes(migration)) return false
    await tx.query(migration.up(settings.quoted), [], { timeout: settings.timeout })
    await tx.query(recordSql(settings.quoted, migration))
    return true
  })
  if (applied && databaseMigration.hasSubscribers)
    databaseMigration.publish({ ...nameOf(migration), ms: settings.clock.elapsed() - from })
  return applied
}

async function applyGrants(settings: Settings, role: string): Promise<void> {
  await underLock(settings, `the grants to '${role}'`, async (tx) => {
    for (const sql of grantsSql(settings.quoted, role)) await tx.query(sql)
  })
}

/** Runs `body` in a transaction that holds the migrations' lock; again while locks are not to be had. */
async function underLock<T>(settings: Settings, what: string, body: (tx: Transaction) => Promise<T>): Promise<T> {
  const { clock, lockRetries, patience } = settings
  const giveUpAt = clock.elapsed() + patience
  let failures = 0
  for (let wait = FIRST_RETRY_MS; ; wait *= 2) {
    const outcome = await attempt(settings, body)
    if ('result' in outcome) return outcome.result
    if (sqlStateOf(outcome.error) !== LOCK_NOT_AVAILABLE) throw failed(what, outcome.error)
    const isHopeless = outcome.held ? failures++ >= lockRetries : clock.elapsed() >= giveUpAt
    if (isHopeless) throw lockedError(settings, what, outcome)
    // Somebody else's migrations are waited for within the server, so only a table's lock needs a longer pause.
    await sleep(clock, outcome.held ? wait : FIRST_RETRY_MS)
  }
}

interface Failure {
  error: unknown
  /** Whether the migrations' own lock had been taken, so that it was a table that could not be had. */
  held: boolean
  blockers: Blocker[]
}

async function attempt<T>(settings: Settings, body: (tx: Transaction) => Promise<T>): Promise<{ result: T } | Failure> {
  const watch = watchBlockers(settings.database, settings.clock, settings.lockTimeout)
  let held = false
  try {
    const result = await settings.database.transaction(
      async (tx) => {
        held = false
        await tx.query(timeoutSql(settings.lockTimeout))
        const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
        watch.begin(rows[0]!.pid)
        await tx.query(lockSql(settings.schema))
        held = true
        return body(tx)
      },
      { timeout: settings.timeout },
    )
    await watch.end()
    return { result }
  } catch (error) {
    return { error, held, blockers: await watch.end() }
  }
}

async function printPlan(settings: Settings): Promise<string> {
  const { quoted, schema, lockTimeout, role, known } = settings
  const plan = await readPlan(settings, settings.database)
  if (plan.pending.length === 0) return `-- Schema ${quoted} is up to date: ${known.length} migrations applied.\n`
  const opening = [timeoutSql(lockTimeout), lockSql(schema)]
  const schemaMissing = !(await hasSchema(settings, settings.database))
  const first = [...opening, ...(schemaMissing ? [createSchemaSql(quoted)] : []), createTableSql(quoted)]
  const texts = [transactionText('The schema and the table of applied migrations', first)]
  for (const migration of plan.pending)
    texts.push(
      transactionText(`Migration ${label(migration)}`, [
        ...opening,
        migration.up(quoted),
        recordSql(quoted, migration),
      ]),
    )
  if (role) texts.push(transactionText(`Rights of the run-time role ${role}`, grantsSql(quoted, role)))
  return texts.join('\n')
}

function nameOf({ module, version, name }: KnownMigration) {
  return { module, version, name }
}

function tellOfNewer({ schema }: Settings, { newer }: MigrationPlan): void {
  if (!notice.hasSubscribers) return
  const names = newer.map(label).join(', ')
  notice.publish({
    source: 'migrations',
    level: 'info',
    message: `the database is newer than this code: ${names} came from a later release, which may run beside this one`,
    fields: { schema, newer: newer.map(({ module, version }) => `${module}/${version}`) },
  })
}

function pendingError({ schema }: Settings, pending: readonly KnownMigration[]): TailwaterError {
  return new TailwaterError(
    'E_MIGRATIONS_PENDING',
    `${pending.length} migrations of schema '${schema}' have not been applied: ${pending.map(label).join(', ')}. Run 'tailwater migrate', or print the SQL with 'tailwater migrate --print' and run it by hand`,
    { schema, pending: pending.map(nameOf) },
  )
}

function lockedError({ schema }: Settings, what: string, { held, blockers, error }: Failure): TailwaterError {
  const who =
    blockers.map(({ pid, state, query }) => `pid ${pid} (${state}): ${query}`).join('; ') || 'unknown sessions'
  const why = held ? 'waited for a table locked by' : 'waited for another process that migrates:'
  return new TailwaterError('E_MIGRATION_LOCKED', `${what} ${why} ${who}`, { schema, blockers, cause: error })
}

function failed(what: string, error: unknown): unknown {
  if (error instanceof TailwaterError && (error.code.startsWith('E_MIGRATION_') || sqlStateOf(error) === undefined))
    return error
  const reason = error instanceof Error ? error.message : String(error)
  return new TailwaterError('E_MIGRATION_FAILED', `${what} failed and was undone: ${reason}`, {
    sqlState: sqlStateOf(error),
    cause: error,
  })
}
