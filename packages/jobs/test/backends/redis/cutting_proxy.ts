import { connect, createServer, type Socket } from 'node:net'

/** A way to a server, on which the reply to one packet gets lost. */
export interface CuttingProxy {
  url: string
  /** The next packet that contains the text reaches the server; when that has answered, the connection is cut, and the answer is lost. */
  loseReplyTo(text: string): void
  close(): Promise<void>
}

/** Starts a proxy on a free port before the Redis server on `port`. */
export async function startCuttingProxy(port: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  let trap: string | undefined
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    const cut = () => {
      for (const socket of [client, upstream]) socket.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', cut).on('close', cut)
    }
    client.on('data', (packet) => {
      if (trap !== undefined && packet.includes(trap)) {
        trap = undefined
        upstream.removeAllListeners('data').once('data', cut)
      }
      upstream.write(packet)
    })
    upstream.on('data', (packet) => client.write(packet))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `redis://127.0.0.1:${(server.address() as { port: number }).port}`,
    loseReplyTo(text) {
      trap = text
    },
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
