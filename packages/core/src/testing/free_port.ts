import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { hasCode } from '../errors.ts'

/**
 * Ports that systems give to nobody by themselves: outgoing connections get theirs from 32768 up on Linux, from 49152 up elsewhere. A server that is
 * killed finds its port free when it comes back only if no connection can have taken it meanwhile.
 */
const LOWEST = 10_000
const HIGHEST = 32_000
/** Ports that may be taken, one after the other, before something else must be wrong. */
const TRIES = 100

/** What this process has handed out, to servers that may not listen yet. */
const given = new Set<number>()

/** A TCP port of 127.0.0.1 that was free a moment ago, for servers that cannot be told to choose one themselves, or that come back on it. */
export async function freePort(): Promise<number> {
  for (let left = TRIES; left > 0; left--) {
    const port = randomInt(LOWEST, HIGHEST)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
  }
  throw new Error(`no port from ${LOWEST} to ${HIGHEST} is free`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) =>
      hasCode(error, 'EADDRINUSE') || hasCode(error, 'EACCES') ? resolve(false) : reject(error),
    )
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
