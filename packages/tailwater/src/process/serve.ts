import type { Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import { type Clock, createService, type Service } from '@tailwater/core'
import { type Drain, hardenServer } from '@tailwater/http'
import { listenFailure } from './start_failure.ts'

/** Where a server listens. */
export interface ListenOptions {
  /** @default '127.0.0.1' */
  host?: string
  /** 0 takes a free one. */
  port: number
}

/** A server that listens, as a service. */
export interface ServedHttp extends Service {
  /** `http://localhost:3000`, once started. */
  readonly url: string
}

/**
 * Listens between `start` and `stop`; `stop` answers what is in flight, leads new requests elsewhere, and closes.
 *
 * @throws E_PORT_IN_USE, E_PORT_FORBIDDEN from `start`
 */
export function serve(server: Server, options: ListenOptions & { drain: Drain; clock: Clock }): ServedHttp {
  const { host = '127.0.0.1', port, drain, clock } = options
  let url = ''
  hardenServer(server)
  const service = createService('http', {
    async start() {
      url = urlOf(await listen(server, host, port), host)
    },
    async stop(deadline = clock.elapsed() + DRAIN_TIME) {
      await drain.close(server, deadline)
    },
  })
  return {
    ...service,
    get url() {
      return url
    },
  }
}

/** Milliseconds for requests in flight when a stop sets no deadline. */
const DRAIN_TIME = 15_000

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(listenFailure(error, host, port))
    server.once('error', fail)
    server.listen({ host, port }, () => {
      server.off('error', fail)
      resolve(server.address() as AddressInfo)
    })
  })
}

/** The address as a person would type it. */
function urlOf({ port }: AddressInfo, host: string): string {
  const name = ['127.0.0.1', '::1', '0.0.0.0', '::'].includes(host) ? 'localhost' : host
  return `http://${isIPv6(name) ? `[${name}]` : name}:${port}`
}
