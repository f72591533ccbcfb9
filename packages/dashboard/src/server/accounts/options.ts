import { type Clock, type Keyring, resolveOptions, systemClock, text, value } from '@tailwater/core'
import { type Database, quoteSchema } from '@tailwater/postgres'

/** Options of `createAccounts`. */
export interface AccountsOptions {
  /** Where the tables of `dashboardMigrations` are. */
  database: Database
  /** Schema that holds them. @default 'tailwater' */
  schema?: string
  /** Signs tokens. */
  keyring: Keyring
  /** @default the machine's clock */
  clock?: Clock
}

/** Fills in defaults and checks the options. @throws E_OPTIONS */
export function resolveAccountsOptions(options: AccountsOptions) {
  const { schema, ...resolved } = resolveOptions('createAccounts', options, {
    database: value<Database>(
      'a Database',
      (given) => typeof (given as Database | undefined)?.transaction === 'function',
    ),
    schema: text({ default: 'tailwater' }),
    keyring: value<Keyring>('a Keyring', (given) => typeof (given as Keyring | undefined)?.keys === 'function'),
    clock: value<Clock>('a Clock', (given) => typeof (given as Clock | undefined)?.after === 'function', {
      default: systemClock,
    }),
  })
  return { ...resolved, quotedSchema: quoteSchema(schema, 'createAccounts.schema') }
}
