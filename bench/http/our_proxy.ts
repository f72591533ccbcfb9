// node bench/http/our_proxy.ts ORIGIN: our caching proxy on a free port, which it prints.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCachingProxy } from '@tailwater/http'

const [origin = ''] = process.argv.slice(2)
const proxy = createCachingProxy({ origin, cache: { cookies: 'ignore' } })
const server = createServer(proxy)
server.listen(0, '127.0.0.1', () => console.log(`listening on port ${(server.address() as AddressInfo).port}`))
process.once('SIGINT', () => {
  server.close()
  server.closeAllConnections()
  proxy.close()
})
