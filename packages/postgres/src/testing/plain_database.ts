import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createService } from '@tailwater/core'
import pg from 'pg'
import { from, to } from 'pg-copy-streams'
import type { CopyPort, Database, Session, Transaction } from '../database.ts'
import type { Queryable, QueryResult, Statement } from '../queryable.ts'

/** A `Database` over a bare pool, without retries, routing and events. */
export function createPlainDatabase(url: string, { min = 0, max = 10 }: { min?: number; max?: number }): Database {
  let pool: pg.Pool | undefined
  const open = () => {
    if (!pool) throw new Error('the test database is not started')
    return pool
  }
  const service = createService('test-database', {
    start: () => {
      pool = new pg.Pool({ connectionString: url, min, max })
      // A connection that breaks while idle is replaced at its next use.
      pool.on('error', () => {})
    },
    stop: async () => {
      await pool?.end()
      pool = undefined
    },
  })
  const query: Queryable['query'] = (statement, values) => run(open(), statement, values)
  return {
    ...service,
    query,
    reader: { query },
    transaction: (body, options = {}) => inTransaction(open(), body, options.isolation),
    session: () => openSession(url),
    copyIn: (text, source) => withClient(open(), (client) => copyOn(client).copyIn(text, source)),
    copyOut: (text, sink) => withClient(open(), (client) => copyOn(client).copyOut(text, sink)),
    stats: () => {
      const { totalCount, idleCount, waitingCount } = open()
      return {
        primary: { open: totalCount, idle: idleCount, waiting: waitingCount, min, max },
        replica: undefined,
        sessions: 0,
      }
    },
  }
}

async function run<Row>(
  on: pg.Pool | pg.PoolClient | pg.Client,
  statement: string | Statement,
  values: readonly unknown[] = [],
): Promise<QueryResult<Row>> {
  const config = typeof statement === 'string' ? { text: statement } : { ...statement }
  const { rows, rowCount } = await on.query(values.length > 0 ? { ...config, values: [...values] } : config)
  return { rows: rows as Row[], rowCount }
}

function copyOn(client: pg.PoolClient | pg.Client): CopyPort {
  return {
    copyIn: async (text, source) => {
      const sink = client.query(from(text))
      await pipeline(Readable.from(source), sink)
      return sink.rowCount ?? 0
    },
    copyOut: async (text, sink) => {
      const source = client.query(to(text))
      await pipeline(source, sink)
      return (source as unknown as { rowCount?: number }).rowCount ?? 0
    },
  }
}

async function withClient<T>(pool: pg.Pool, body: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    return await body(client)
  } finally {
    client.release()
  }
}

function inTransaction<T>(
  pool: pg.Pool,
  body: (tx: Transaction) => Promise<T>,
  isolation = 'read committed',
): Promise<T> {
  return withClient(pool, async (client) => {
    const afterwards: (() => void | Promise<void>)[] = []
    let savepoints = 0
    const tx: Transaction = {
      ...copyOn(client),
      query: (statement, values) => run(client, statement, values),
      afterCommit: (task) => void afterwards.push(task),
      savepoint: (step) => around(client, `s${++savepoints}`, step),
    }
    await client.query(`BEGIN ISOLATION LEVEL ${isolation}`)
    let result: T
    try {
      result = await body(tx)
      await client.query('COMMIT')
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    }
    for (const task of afterwards) await task()
    return result
  })
}

async function around<T>(client: pg.PoolClient, name: string, step: () => Promise<T>): Promise<T> {
  await client.query(`SAVEPOINT ${name}`)
  try {
    const result = await step()
    await client.query(`RELEASE SAVEPOINT ${name}`)
    return result
  } catch (error) {
    await client.query(`ROLLBACK TO SAVEPOINT ${name}`)
    throw error
  }
}

async function openSession(url: string): Promise<Session> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return {
    ...copyOn(client),
    query: (statement, values) => run(client, statement, values),
    onNotification: (handler) =>
      void client.on('notification', ({ channel, payload }) => handler(channel, payload ?? '')),
    closed: new Promise((resolve) => {
      client.once('end', resolve)
      client.on('error', () => resolve())
    }),
    release: () => client.end(),
  }
}
