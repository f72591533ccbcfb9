// Loaded before a program of a page: it listens on a free port of the loopback, and its parent is told which.
import { type AddressInfo, Server } from 'node:net'

const listen = Server.prototype.listen

Server.prototype.listen = function listenOnFreePort(this: Server, ...given: unknown[]): Server {
  const whenListening = given.find((part) => typeof part === 'function') as (() => void) | undefined
  this.once('listening', () => process.send?.({ port: (this.address() as AddressInfo).port }))
  return listen.call(this, { port: 0, host: '127.0.0.1' }, whenListening)
} as typeof listen
