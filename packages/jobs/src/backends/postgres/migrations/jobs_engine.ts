import type { Migration } from '@tailwater/postgres'
import { ending } from './ending.ts'
import { entering } from './entering.ts'
import { keeping } from './keeping.ts'
import { limiting } from './limiting.ts'
import { operating } from './operating.ts'
import { reporting } from './reporting.ts'
import { tables } from './tables.ts'
import { tally } from './tally.ts'
import { turning } from './turning.ts'

/**
 * The engine of release 0.2. Its functions carry the number of their version: a later release adds others beside them, so that processes of both run on
 * one database.
 */
export const jobsEngineMigration: Migration = {
  version: 3,
  name: 'the engine',
  up: (schema) =>
    [tables, tally, ending, entering, limiting, turning, reporting, operating, keeping]
      .map((part) => part(schema))
      .join('\n'),
}
