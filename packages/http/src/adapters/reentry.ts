import { type IncomingMessage, request as requestHttp, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import type { RefreshRequest } from '../response_cache/refreshes.ts'

/**
 * Sends a request through a server of this process, past the network.
 *
 * A connection is handed to it as Node documents for its event `connection`. A request to the own port could end in another process, where several share it, and would come from this machine's
 * address, not from the client's. Resolves when the reply has come through.
 */
export async function reenter(server: Server, request: RefreshRequest): Promise<void> {
  const [client, accepted] = duplexPair()
  const isSecure = 'setSecureContext' in server
  // What the application looks at on a socket.
  Object.assign(accepted, { remoteAddress: request.remoteAddress, ...(isSecure && { encrypted: true }) })
  // Up to Node 22 the other end does not hear of it.
  accepted.once('close', () => {
    if (!accepted.writableFinished) client.destroy(new Error('the server hung up'))
  })
  server.emit(isSecure ? 'secureConnection' : 'connection', accepted)
  try {
    await answered(client as Socket, request)
  } finally {
    client.destroy()
    accepted.destroy()
  }
}

function answered(connection: Socket, { method, target: path, headers }: RefreshRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = { ...headers, connection: 'close' }
    const outgoing = requestHttp({ createConnection: () => connection, method, path, headers: sent }, (response) => {
      response.on('end', resolve).on('error', reject).resume()
    })
    outgoing.on('error', reject).end()
  })
}

/** Runs an application again through the server by which it was asked last. */
export interface Reentry {
  /** Notes the server of a request. */
  see(request: IncomingMessage): void
  /** For `responseCache`. @throws while no request of a server was seen */
  refresh(request: RefreshRequest): Promise<void>
}

/**
 * What refreshes responses of an application on connect or Express.
 *
 * @example
 * const reentry = createReentry()
 * const cache = responseCache({ hosts: ['shop.example'], refresh: reentry.refresh })
 * app.use((request, _response, next) => {
 *   reentry.see(request)
 *   next()
 * }, connectMiddleware([cache]))
 */
export function createReentry(): Reentry {
  let server: Server | undefined
  return {
    see(request) {
      // Node sets it on the socket of every server; undocumented, as `socket.server` of the cluster module is.
      server = (request.socket as Socket & { server?: Server }).server ?? server
    },
    async refresh(request) {
      if (!server) throw new Error('the server of this application is not known')
      await reenter(server, request)
    },
  }
}
