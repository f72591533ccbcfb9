import { connect, createServer, type Socket } from 'node:net'

/** Stands between a client and a server, to be cut. */
export interface TcpProxy {
  readonly port: number
  /** Ends every connection at once, on both sides, without a goodbye; new ones are taken. */
  cut(): void
  /** Takes no connections, and ends those that are there, until `heal`. */
  refuse(): void
  /** Passes nothing on, either way: connections stay and are silent, until `heal`. */
  freeze(): void
  heal(): void
  close(): Promise<void>
}

/** Starts a proxy to a port of 127.0.0.1. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let mode: 'open' | 'refusing' | 'frozen' = 'open'
  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy()
  }
  const server = createServer((client) => {
    if (mode === 'refusing') return void client.resetAndDestroy()
    const upstream = connect(target, '127.0.0.1')
    const pair = [client, upstream] as const
    pairs.add(pair)
    for (const [from, to] of [pair, pair.toReversed() as [Socket, Socket]]) {
      from.setNoDelay(true)
      from.on('error', () => {})
      from.on('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
      from.pipe(to)
    }
    if (mode === 'frozen') for (const socket of pair) socket.pause()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // It must not keep a test running.
  server.unref()
  return {
    port: (server.address() as { port: number }).port,
    cut,
    refuse() {
      mode = 'refusing'
      cut()
    },
    freeze() {
      mode = 'frozen'
      for (const pair of pairs) for (const socket of pair) socket.pause()
    },
    heal() {
      mode = 'open'
      for (const pair of pairs) for (const socket of pair) socket.resume()
    },
    async close() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
