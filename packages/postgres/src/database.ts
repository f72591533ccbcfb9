import type { Readable, Writable } from 'node:stream'
import type { Service } from '@tailwater/core'
import type { Queryable, QueryOptions } from './queryable.ts'

/** Loads rows fast; within a transaction or session, on its connection, so that a load of many tables is done whole or not at all. */
export interface CopyPort {
  /** `COPY … FROM STDIN`: a stream to write to, and the count of rows once it has ended. */
  copyIn(text: string, source: Readable | AsyncIterable<Uint8Array | string>, options?: QueryOptions): Promise<number>
  /** `COPY … TO STDOUT` into `sink`; resolves to the count of rows. */
  copyOut(text: string, sink: Writable, options?: QueryOptions): Promise<number>
}

/** A transaction in progress; valid until the body that was given it settles. */
export interface Transaction extends Queryable, CopyPort {
  /** Runs after the commit, not at all after a rollback; a failure there is published, not thrown. */
  afterCommit(task: () => void | Promise<void>): void
  /** A nested step that can fail alone (SAVEPOINT). */
  savepoint<T>(body: () => Promise<T>): Promise<T>
}

/** How a transaction is run. */
export interface TransactionOptions {
  /** @default 'read committed' */
  isolation?: 'read committed' | 'repeatable read' | 'serializable'
  readOnly?: boolean
  /**
   * How often the whole body is run again after a serialisation failure or a deadlock (40001, 40P01), and
   * after a connection lost before COMMIT was sent. The body must have no effects outside the transaction.
   * @default 0, or 3 when isolation is not 'read committed'
   */
  retries?: number
  signal?: AbortSignal
  /** Milliseconds for the whole transaction. */
  timeout?: number
}

/** One connection held for a while: for LISTEN, advisory locks, temporary tables. Never goes through a transaction pooler. */
export interface Session extends Queryable, CopyPort {
  /** Notifications of channels this session LISTENs on. */
  onNotification(handler: (channel: string, payload: string) => void): void
  /** Resolves when the connection is lost or released. */
  readonly closed: Promise<void>
  release(): Promise<void>
}

/** How full a pool is. */
export interface PoolStats {
  open: number
  idle: number
  waiting: number
  min: number
  max: number
}

/**
 * PostgreSQL for one process: a pool to the primary, optionally one to replicas, within one connection budget.
 *
 * Statements outside a transaction are not retried unless they failed before they were sent; reads through `reader` are.
 */
export interface Database extends Queryable, CopyPort, Service {
  /** Runs `body` in a transaction: commits when it resolves, rolls back when it rejects. */
  transaction<T>(body: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
  /** Reads that may go to a replica; within a request that has written they go to the primary until the replica has caught up. They may run twice, and quick ones share a transaction with others when they come faster than they are answered. */
  readonly reader: Queryable
  /** A connection of one's own to the primary, counted in the budget, straight to the server even when a pooler stands before it. */
  session(options?: { signal?: AbortSignal }): Promise<Session>
  stats(): { primary: PoolStats; replica: PoolStats | undefined; sessions: number }
}
