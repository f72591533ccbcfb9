import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { toError } from '@tailwater/core'
import { until as untilHolds } from '@tailwater/core/testing'
import { redisError } from '../errors.ts'

/** Milliseconds between looks at a server that is starting. */
const PAUSE = 20
/** Milliseconds for anything a test server is waited for: a loaded machine is slow. */
const PATIENCE = 30_000

/** The raw reply of a server to one inline command, over a connection of its own. */
export function ask(port: number, command: string, tls?: ConnectionOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const place = { host: '127.0.0.1', port }
    const socket = tls ? connectTls({ ...place, ...tls }) : connectTcp(place)
    let reply = ''
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')))
    socket.on('data', (chunk) => {
      reply += chunk.toString()
      // PING marks the end, so that the reply before it need not be parsed; sentinels know no QUIT.
      if (/(?:^|\n)(?:\+PONG|-[A-Z]+ [^\r\n]*)\r\n$/.test(reply)) socket.end()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(reply))
    socket.write(`${command}\r\nPING\r\n`)
  })
}

/** Waits until a condition holds. @throws E_REDIS_UNAVAILABLE when that takes too long */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  describe: () => string = () => '',
): Promise<void> {
  try {
    await untilHolds(what, holds, { patience: PATIENCE, pause: PAUSE, describe })
  } catch (error) {
    throw redisError('E_REDIS_UNAVAILABLE', toError(error).message)
  }
}
