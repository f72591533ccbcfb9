import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { toError } from '@tailwater/core'
import pgCopy from 'pg-copy-streams'
import type { QueryOptions } from '../queryable.ts'
import type { Connection } from './connection.ts'

/**
 * COPY on one connection, at the pace of the slower side.
 *
 * @returns the count of rows
 */
export async function copyFrom(
  connection: Connection,
  text: string,
  source: Readable | AsyncIterable<Uint8Array | string>,
  options: QueryOptions,
): Promise<number> {
  return connection.exclusive(async (client) => {
    const sink = client.query(pgCopy.from(text))
    await pipeline(
      source instanceof Readable ? source : Readable.from(source, { objectMode: false }),
      sink,
      pipelineOptions(options),
    )
    return sink.rowCount
  })
}

/** @returns the count of rows */
export async function copyTo(
  connection: Connection,
  text: string,
  sink: Writable,
  options: QueryOptions,
): Promise<number> {
  return connection.exclusive(async (client) => {
    const source = client.query(pgCopy.to(text))
    try {
      await pipeline(source, sink, pipelineOptions(options))
    } catch (error) {
      // Rows are still on their way, and nothing but the end of the connection stops them.
      connection.lose(toError(error))
      throw error
    }
    return source.rowCount
  })
}

function pipelineOptions({ signal }: QueryOptions): { signal?: AbortSignal } {
  return signal ? { signal } : {}
}
