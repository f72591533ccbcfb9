import { connect, createServer, type Socket } from 'node:net'

/** A way to a server on which replies get lost. */
export interface LossyWire {
  readonly port: number
  /**
   * Whatever is sent next reaches the server, and what the server says to it does not come back: the connection is cut, or stays and is silent for ever.
   * Resolves when that has happened.
   */
  lose(how: 'cut' | 'silent'): Promise<void>
  close(): Promise<void>
}

/** Begins before the server on a port of this machine. */
export async function startLossyWire(port: number): Promise<LossyWire> {
  const sockets = new Set<Socket>()
  let trap: { how: 'cut' | 'silent'; sprung(): void } | undefined

  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    const cut = () => {
      for (const socket of [client, upstream]) socket.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', cut).on('close', () => {
        sockets.delete(socket)
        cut()
      })
    }
    let isSilent = false
    client.on('data', (packet) => {
      if (trap && !isSilent) {
        const { how, sprung } = trap
        trap = undefined
        isSilent = true
        upstream.once('data', () => {
          if (how === 'cut') cut()
          sprung()
        })
      }
      upstream.write(packet)
    })
    upstream.on('data', (packet) => {
      if (!isSilent) client.write(packet)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    lose: (how) =>
      new Promise((sprung) => {
        trap = { how, sprung }
      }),
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
