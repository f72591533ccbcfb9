import type { Clock } from '@tailwater/core'
import pg from 'pg'

/**
 * Asks the server to cancel what `client` runs, by the protocol's CancelRequest on a socket of its own
 * (PostgreSQL documentation, chapter "Canceling Requests in Progress").
 *
 * Unlike `pg_cancel_backend` it needs no free connection and works through PgBouncer. Resolves when the server has
 * closed the socket, which it does after the signal has been sent; there is no answer.
 *
 * @param patience milliseconds
 */
export function cancelRequest(client: pg.Client, clock: Clock, patience: number): Promise<void> {
  const { processID, secretKey, sslNegotiation } = client as unknown as CancelledClient
  const socket = new pg.Connection({
    ssl: client.ssl || undefined,
    sslNegotiation,
  } as pg.ConnectionConfig) as unknown as CancelSocket
  const giveUp = clock.after(patience, () => socket.stream.destroy())
  const ended = new Promise<void>((resolve, reject) => {
    const send = () => socket.cancel(processID, secretKey)
    socket.on(client.ssl ? 'sslconnect' : 'connect', send)
    if (client.ssl && sslNegotiation !== 'direct') socket.on('connect', () => socket.requestSsl())
    socket.on('error', reject)
    socket.on('end', () => resolve())
    if (client.host.startsWith('/')) socket.connect(`${client.host}/.s.PGSQL.${client.port}`)
    else socket.connect(client.port, client.host)
  })
  return ended.finally(giveUp)
}

/** What identifies a connection to be cancelled, beside its address. */
interface CancelledClient {
  processID: number
  secretKey: number
  sslNegotiation: 'postgres' | 'direct'
}

/** The driver's wire-level connection, as far as its types leave it out. */
interface CancelSocket {
  readonly stream: { destroy(): void }
  connect(port: number | string, host?: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
  on(event: 'connect' | 'sslconnect' | 'end', listener: () => void): void
  on(event: 'error', listener: (error: Error) => void): void
}
