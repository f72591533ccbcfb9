import { TailwaterError } from '@tailwater/core'
import pg from 'pg'

/** A password, or what fetches a fresh one for each connection (as for short-lived cloud tokens). */
export type Password = string | (() => string | Promise<string>)

/** Where a server is and who logs in: a URL taken apart, so that the password need never be near a message. */
export interface ServerAddress {
  host: string
  port: number
  user: string | undefined
  database: string | undefined
  password: Password | undefined
  ssl: pg.ClientConfig['ssl']
  sslnegotiation: pg.ClientConfig['sslnegotiation']
  options: string | undefined
  /** `host:port`, or the socket's folder: for messages. */
  where: string
}

const URL_SHAPE =
  'a PostgreSQL URL: postgres://user:password@host:5432/database, or postgres:///database?host=/socket/folder'

/**
 * Takes a URL apart.
 *
 * @throws E_OPTIONS, without the URL in its message: it may hold a password
 */
export function parseServerUrl(url: unknown, path: string): ServerAddress {
  if (typeof url !== 'string' || !/^(postgres|postgresql|socket):/.test(url)) throw urlError(path)
  const client = parsed(url, path)
  const where = client.host.startsWith('/') ? client.host : `${client.host}:${client.port}`
  const { user, database, password, ssl, sslnegotiation, options } = client.connectionParameters
  return {
    host: client.host,
    port: client.port,
    user,
    database,
    password: password ?? undefined,
    ssl,
    sslnegotiation,
    options,
    where,
  }
}

interface ParsedClient {
  host: string
  port: number
  connectionParameters: Pick<ServerAddress, 'user' | 'database' | 'password' | 'ssl' | 'sslnegotiation' | 'options'>
}

function parsed(url: string, path: string): ParsedClient {
  try {
    return new pg.Client({ connectionString: url }) as unknown as ParsedClient
  } catch {
    // The parser's own message quotes the URL, password and all.
    throw urlError(path)
  }
}

function urlError(path: string): TailwaterError {
  return new TailwaterError('E_OPTIONS', `${path} must be ${URL_SHAPE}`, { path, expected: 'url' })
}
