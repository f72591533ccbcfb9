import type { Clock } from '@tailwater/core'
import { type Database, hasSqlState, quoteSchema, type Statement, statement } from '@tailwater/postgres'

/** What every part of the backend stands on. */
export interface Ground {
  database: Database
  clock: Clock
  /** Quoted. */
  schema: string
  /** Of notifications. */
  channel: string
  /** Names a statement for this schema. */
  statement(name: string, text: string): Statement
}

/** @param schemaName unquoted */
export function layGround(database: Database, schemaName: string, clock: Clock): Ground {
  return {
    database,
    clock,
    schema: quoteSchema(schemaName),
    channel: `tw_jobs_${schemaName}`,
    statement: (name, text) => statement(`tw_job_${name}:${schemaName}`, text),
  }
}

/** Times that a step is tried which others' locks undid. */
const ATTEMPTS = 4

/**
 * Runs a step of one statement again when the server undid it to resolve a deadlock (40P01) or for serialisation (40001): all of it or nothing was done, so
 * it can be repeated.
 */
export async function atOnce<T>(step: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await step()
    } catch (error) {
      if (attempt === ATTEMPTS || !hasSqlState(error, '40P01', '40001')) throw error
    }
  }
}
