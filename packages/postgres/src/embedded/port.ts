import { createServer } from 'node:net'

/** The address the server listens on, and no other. */
export const LOOPBACK = '127.0.0.1'

/** Whether a port of the loopback address can be listened on. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await tryListen(port)) !== undefined
}

/** A port that was free a moment ago; whoever binds it must be ready to try another. */
export async function findFreePort(): Promise<number> {
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
