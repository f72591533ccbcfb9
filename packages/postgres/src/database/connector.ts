import { type Clock, toError } from '@tailwater/core'
import pg from 'pg'
import { sqlStateOf } from '../errors.ts'
import { Connection } from './connection.ts'
import { databaseError } from './failure.ts'
import type { ServerAddress } from './server_address.ts'
import { valueTypes } from './value_types.ts'

/** How connections to one server are opened. */
export interface ConnectorSettings {
  address: ServerAddress
  target: 'primary' | 'replica'
  /** A transaction pooler stands between: no prepared names, no start-up parameters. */
  pooled: boolean
  applicationName: string
  role: string | undefined
  connectTimeout: number
  /** Milliseconds; 0 for none. */
  statementTimeout: number
  idleInTransactionTimeout: number
}

/**
 * Opens one connection.
 *
 * @throws E_DATABASE_UNAVAILABLE, naming host and port and the way out
 */
export async function connect(settings: ConnectorSettings, clock: Clock): Promise<Connection> {
  const client = new pg.Client(clientConfig(settings))
  // Until the connection listens, an error would have no listener and end the process.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    client.connection.stream.destroy()
    throw unavailable(toError(error), settings)
  }
  return new Connection(client, { target: settings.target, named: !settings.pooled }, clock)
}

function clientConfig(settings: ConnectorSettings): pg.ClientConfig {
  const { host, port, user, database, password, ssl, sslnegotiation } = settings.address
  return {
    host,
    port,
    user,
    database,
    password,
    ssl,
    sslnegotiation,
    application_name: settings.applicationName,
    connectionTimeoutMillis: settings.connectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    types: valueTypes as pg.CustomTypesConfig,
    ...(settings.pooled ? {} : { options: startupOptions(settings) }),
  }
}

/** Settings in force from the first statement on, without a round trip, and what RESET returns to. */
function startupOptions({ address, role, statementTimeout, idleInTransactionTimeout }: ConnectorSettings): string {
  const flags = [
    `statement_timeout=${Math.round(statementTimeout)}`,
    `idle_in_transaction_session_timeout=${Math.round(idleInTransactionTimeout)}`,
    ...(role === undefined ? [] : [`role=${role}`]),
  ]
  return [address.options ?? '', ...flags.map((flag) => `-c ${escapeFlag(flag)}`)].join(' ').trim()
}

const escapeFlag = (flag: string) => flag.replace(/[\\\s]/g, '\\$&')

function unavailable(error: Error, { address, target }: ConnectorSettings): Error {
  const sqlState = sqlStateOf(error)
  const way =
    WAYS_OUT[sqlState ?? ('code' in error ? String(error.code) : '')] ?? 'is it running, and reachable from here?'
  return databaseError(
    'E_DATABASE_UNAVAILABLE',
    `cannot connect to PostgreSQL (${target}) at ${address.where}: ${reason(error)}; ${way}`,
    {
      cause: error,
      where: address.where,
      target,
      sqlState,
      sent: false,
    },
  )
}

/** A host with several addresses fails with all of them at once, and an empty message. */
function reason(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((each) => toError(each).message).join(', ')
  return error.message
}

const WAYS_OUT: Record<string, string> = {
  '28P01': 'check the user and the password',
  '28000': 'check the user, and pg_hba.conf on the server',
  '3D000': 'create the database, or correct its name in the URL',
  '22023': 'check the role and the settings in the URL',
  '53300': 'lower budget or max, or raise max_connections on the server',
  '57P03': 'it is starting up or shutting down; try again in a moment',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'give its certificate authority in ssl: { ca }',
  SELF_SIGNED_CERT_IN_CHAIN: 'give its certificate authority in ssl: { ca }',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'give its certificate authority in ssl: { ca }',
  ERR_TLS_CERT_ALTNAME_INVALID: 'use the name that its certificate is for',
  ENOTFOUND: 'check the host name',
  ENOENT: 'there is no such socket; is the server running?',
}
