import { eventChannel } from '../channel.ts'

/** One finished statement. */
export interface DatabaseQueryEvent {
  /** Of the context in which the statement was asked for; undefined outside a request or job. */
  requestId: string | undefined
  /** The statement's name, when it has one. */
  name: string | undefined
  /** Stable 16-digit hexadecimal id of the statement without its constants. */
  fingerprint: string
  /** The text as sent, with placeholders; never the values. */
  text: string
  /** Milliseconds from being handed to the connection to its last row. */
  ms: number
  rows: number
  /** Which server answered. */
  target: 'primary' | 'replica'
  /** SQLSTATE or a network error's code, when the statement failed. */
  error: string | undefined
}

/** Every finished statement, failed ones too. */
export const databaseQuery = eventChannel<DatabaseQueryEvent>('tailwater:database:query')

/** A change in the state of a pool's connections. */
export interface DatabasePoolEvent {
  pool: string
  change: 'connected' | 'closed' | 'lost' | 'exhausted'
  /** Open connections after the change. */
  open: number
  idle: number
  waiting: number
  error?: Error
}

/** Connections opened, closed and lost, and requests that waited in vain. */
export const databasePool = eventChannel<DatabasePoolEvent>('tailwater:database:pool')

/** What the embedded server's supervisor did. */
export interface EmbeddedServerEvent {
  change: 'initialised' | 'started' | 'adopted' | 'stopped-orphan' | 'crashed' | 'restarted' | 'stopped'
  pid: number | undefined
  dataDir: string
}

/** The embedded PostgreSQL's beginnings and ends. */
export const embeddedServer = eventChannel<EmbeddedServerEvent>('tailwater:database:embedded')

/** A migration applied. */
export interface MigrationEvent {
  module: string
  version: number
  name: string
  ms: number
}

/** Every applied migration. */
export const databaseMigration = eventChannel<MigrationEvent>('tailwater:database:migration')
