/**
 * One numbered change of the database's shape.
 *
 * Runs in a transaction with its own row in the migrations table, so that it is done whole or not at
 * all. Changes expand first and contract in a later release: a process of the version before still runs beside it.
 */
export interface Migration {
  /** Position within its module, from 1 without gaps. */
  readonly version: number
  readonly name: string
  /** The statements, for the schema of the user's choice, given quoted and ready to interpolate. */
  readonly up: (schema: string) => string
}

/** The migrations of one package or application, applied in the order of the modules. */
export interface MigrationModule {
  readonly module: string
  readonly migrations: readonly Migration[]
}
