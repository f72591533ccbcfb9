import { connect, createServer, type Socket } from 'node:net'

/** A way to the server that breaks where it is told to. */
export interface BreakingProxy {
  url: string
  /** Cuts the connection whose next packet contains `text`, before or after the server gets the packet; once. */
  cutAt(text: string, when: 'before' | 'after'): void
  /** Connections open now. */
  readonly open: number
  /** From now on packets lie where they are, in both directions, and new connections are not passed on. */
  freeze(): void
  /** Cuts all connections. */
  cutAll(): void
  close(): Promise<void>
}

/** Starts a proxy on a free port before the server at `url`. */
export async function startBreakingProxy(url: string): Promise<BreakingProxy> {
  const target = new URL(url)
  const outer = new URL(url)
  const pairs = new Set<[Socket, Socket]>()
  const clients = new Set<Socket>()
  let isFrozen = false
  let trap: { text: string; when: 'before' | 'after' } | undefined
  const server = createServer((client) => {
    clients.add(client)
    client.on('error', () => {}).once('close', () => clients.delete(client))
    if (isFrozen) return
    const upstream = connect(Number(target.port), target.hostname)
    const pair: [Socket, Socket] = [client, upstream]
    pairs.add(pair)
    const cut = () => {
      pairs.delete(pair)
      client.destroy()
      upstream.destroy()
    }
    for (const socket of pair) socket.on('error', cut).on('close', cut)
    client.on('data', (packet) => {
      const isTrapped = trap !== undefined && packet.includes(trap.text)
      const when = trap?.when
      if (isTrapped) trap = undefined
      if (isTrapped && when === 'before') return cut()
      upstream.write(packet)
      // The answer to the packet proves that the server has done it; the client never sees it.
      if (isTrapped) upstream.removeAllListeners('data').once('data', cut)
    })
    upstream.on('data', (packet) => client.write(packet))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  outer.port = String((server.address() as { port: number }).port)
  return {
    url: outer.href,
    cutAt(text, when) {
      trap = { text, when }
    },
    get open() {
      return pairs.size
    },
    freeze() {
      isFrozen = true
      for (const pair of pairs) for (const socket of pair) socket.pause()
    },
    cutAll() {
      isFrozen = false
      for (const [client, upstream] of pairs) {
        client.destroy()
        upstream.destroy()
      }
    },
    close() {
      for (const client of clients) client.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
