import { optionsError } from '@tailwater/core'
import { escapeIdentifier } from 'pg'

/** The schema that everything of ours lives in unless the user chose another. */
export const DEFAULT_SCHEMA = 'tailwater'

/**
 * A schema's name, checked and quoted, ready to stand in SQL text.
 *
 * Narrower than PostgreSQL's own rule (at most 63 bytes of anything), so that a name also fits, with what we put before
 * it, notification channels and names of prepared statements, which end at 63 bytes.
 *
 * @throws E_OPTIONS on a name that is empty, longer than 40 characters, reserved (`pg_…`), or has other characters than letters, digits, `_` and `-`
 */
export function quoteSchema(name: string, path = 'schema'): string {
  const fits = /^[a-z_][a-z0-9_-]{0,39}$/i.test(name) && !/^pg_/i.test(name)
  if (!fits)
    throw optionsError(
      path,
      "a schema name of at most 40 letters, digits, '_' or '-' that does not begin with 'pg_'",
      name,
    )
  return escapeIdentifier(name)
}
