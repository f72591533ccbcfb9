import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pgCopy from 'pg-copy-streams'
import type { QueryOptions } from '../queryable.ts'
import { batches } from './batches.ts'
import type { Connection } from './connection.ts'
import { CopyRun } from './copy_run.ts'
import type { StatementSite } from './statement_site.ts'

/** What COPY reads from: bytes or text in the format that the statement names. */
export type CopySource = Readable | AsyncIterable<Uint8Array | string>

/**
 * `COPY … FROM STDIN` on one connection, at the pace of the slower side.
 *
 * @returns the count of rows
 */
export function copyFrom(
  connection: Connection,
  text: string,
  source: CopySource,
  options: QueryOptions,
  site: StatementSite,
): Promise<number> {
  const run = new CopyRun(connection, text, options, site)
  return run.during(async (client) => {
    const sink = run.overhear(client.query(pgCopy.from(text)))
    await pipeline(Readable.from(batches(source), { objectMode: false }), sink, { signal: run.signal })
    return sink.rowCount
  })
}

/**
 * `COPY … TO STDOUT` on one connection; a `sink` that is slow slows the server.
 *
 * @returns the count of rows
 */
export function copyTo(
  connection: Connection,
  text: string,
  sink: Writable,
  options: QueryOptions,
  site: StatementSite,
): Promise<number> {
  const run = new CopyRun(connection, text, options, site)
  return run.during(async (client) => {
    const source = run.overhear(client.query(pgCopy.to(text)))
    try {
      await pipeline(source, sink, { signal: run.signal })
    } catch (error) {
      // Rows may still be on their way, and nothing but the end of the connection stops them.
      if (!run.isToldByServer(error)) connection.lose(new Error('a COPY was given up'))
      throw error
    }
    return source.rowCount
  })
}
