import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { sleep, systemClock } from '@tailwater/core'
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
  const deadline = systemClock.elapsed() + PATIENCE
  // The clock's timers do not keep a process alive, and while a server starts there may be nothing else.
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {}
  try {
    while (!(await holds().catch(() => false))) {
      if (systemClock.elapsed() > deadline)
        throw redisError('E_REDIS_UNAVAILABLE', `${what} did not come about in ${PATIENCE} ms ${describe()}`)
      await sleep(systemClock, PAUSE)
    }
  } finally {
    port1.close()
    port2.close()
  }
}
