import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { type Clock, toError } from '@tailwater/core'
import { redisError } from './errors.ts'
import type { RedisCredentials } from './options.ts'

/** What ioredis hands a connector for a node of a cluster. */
interface NodeOptions {
  host?: string
  port?: number
  tls?: ConnectionOptions
}

/** How a connector gets its credentials, and how long it may take. */
export interface Authentication {
  credentials(): Promise<RedisCredentials | undefined>
  timeout: number
  clock: Clock
}

/**
 * Opens a socket that has already said AUTH, with credentials fetched for this very connection.
 *
 * ioredis reads a node's password when the node is first seen, and would use it for years; a cluster client makes new
 * connections by itself at any time, with a token that has long expired. The `Connector` option is where it lets us in.
 */
export async function openAuthenticated(
  { host, port, tls }: NodeOptions,
  { credentials, timeout, clock }: Authentication,
): Promise<Socket> {
  const place = { host: host ?? '127.0.0.1', port: port ?? 6379 }
  const given = await credentials()
  const socket = tls ? connectTls({ ...place, ...tls }) : connectTcp(place)
  const cancel = clock.after(timeout, () => socket.destroy(new Error('connect ETIMEDOUT')))
  try {
    await opened(socket, tls ? 'secureConnect' : 'connect')
    if (given) await authenticate(socket, given)
    return socket
  } catch (error) {
    socket.destroy()
    throw toError(error)
  } finally {
    cancel()
  }
}

function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once(event, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

/** One command and its one-line reply; the server says nothing else before the next command. */
function authenticate(socket: Socket, { username, password }: RedisCredentials): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = ''
    const settle = (error?: Error) => {
      socket.off('data', onData).off('error', settle).off('close', onClose)
      // The client resumes the socket once its parser listens.
      socket.pause()
      if (error) reject(error)
      else resolve()
    }
    const onClose = () => settle(new Error('the connection was closed during AUTH'))
    const onData = (chunk: Buffer) => {
      received += chunk.toString('latin1')
      const end = received.indexOf('\r\n')
      if (end < 0) return
      const reply = received.slice(0, end)
      settle(
        reply === '+OK' ? undefined : redisError('E_REDIS_AUTH', `Redis refused the credentials: ${reply.slice(1)}`),
      )
    }
    socket.on('data', onData).on('error', settle).on('close', onClose)
    socket.write(encode(['AUTH', ...(username === undefined ? [] : [username]), password]))
  })
}

/** A command in the Redis protocol: an array of bulk strings. */
function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}
