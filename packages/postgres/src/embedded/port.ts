import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** The address the server listens on, and no other. */
export const LOOPBACK = '127.0.0.1'

/**
 * Ports below those that systems give to outgoing connections (from 32768 on Linux, from 49152 elsewhere).
 *
 * A server that keeps its port must not live among those: while it restarts, an outgoing connection may take the port, even one of
 * its own clients' that dials it just then and is connected to itself.
 */
const KEPT_PORTS = { from: 20_000, below: 32_768 }

/** How many are tried: on a machine where most are taken, any port is better than none. */
const TRIES = 50

/** Whether a port of the loopback address can be listened on. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await tryListen(port)) !== undefined
}

/** A port that was free a moment ago; whoever binds it must be ready to try another. */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(KEPT_PORTS.from, KEPT_PORTS.below)
    if (await isPortFree(port)) return port
  }
  const port = await tryListen(0)
  if (port === undefined) throw new Error(`no port of ${LOOPBACK} is free`)
  return port
}

function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined))
    })
  })
}
