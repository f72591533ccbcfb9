import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { currentContext, databaseQuery, TailwaterError, toError } from '@tailwater/core'
import type pg from 'pg'
import pgCopy from 'pg-copy-streams'
import type { QueryOptions } from '../queryable.ts'
import { batches } from './batches.ts'
import type { Connection } from './connection.ts'
import { statementError } from './failure.ts'
import { cancelled, type StatementSite, tookTooLong } from './perform.ts'
import { publishQuery } from './query_event.ts'

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
  return copying(connection, text, options, site, async (client, signal) => {
    const sink = client.query(pgCopy.from(text))
    await pipeline(Readable.from(batches(source), { objectMode: false }), sink, { signal })
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
  return copying(connection, text, options, site, async (client, signal) => {
    const source = client.query(pgCopy.to(text))
    try {
      await pipeline(source, sink, { signal })
    } catch (error) {
      // Rows may still be on their way, and nothing but the end of the connection stops them.
      if (!source.readableEnded) connection.lose(toError(error))
      throw error
    }
    return source.rowCount
  })
}

async function copying(
  connection: Connection,
  text: string,
  { signal, timeout }: QueryOptions,
  site: StatementSite,
  body: (client: pg.Client, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const controller = new AbortController()
  const run = { text, label: undefined, requestId: currentContext()?.requestId, sent: true, elapsed: 0 }
  const onAbort = () => controller.abort(signal!.reason instanceof TailwaterError ? signal!.reason : cancelled(signal!))
  const cancelTimer = timeout ? site.clock.after(timeout, () => controller.abort(tookTooLong(timeout))) : undefined
  const startedAt = site.clock.elapsed()
  const publish = (rows: number, error?: Error) => {
    run.elapsed = site.clock.elapsed() - startedAt
    if (databaseQuery.hasSubscribers) publishQuery(run, connection.target, error, rows)
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    if (signal?.aborted) onAbort()
    controller.signal.throwIfAborted()
    const rows = await connection.exclusive((client) => body(client, controller.signal))
    publish(rows)
    return rows
  } catch (error) {
    publish(0, toError(error))
    if (controller.signal.aborted) throw controller.signal.reason
    throw connection.isCause(error) ? statementError(error, run, site) : error
  } finally {
    cancelTimer?.()
    signal?.removeEventListener('abort', onAbort)
  }
}
