import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { after } from 'node:test'

/** A port of 127.0.0.1 that answers each connection's first bytes with `reply`, or closes it without a reply. */
export async function fakeBroker(reply: Buffer | undefined): Promise<{ port: number; heard: Buffer[] }> {
  const heard: Buffer[] = []
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', (data) => {
      heard.push(data)
      if (reply) socket.write(reply)
      else socket.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  return { port: (server.address() as AddressInfo).port, heard }
}

/** The beginning of `connection.start`: a method frame on channel 0. */
export const AMQP_GREETING = Buffer.from([1, 0, 0, 0, 0, 0, 4, 0, 10, 0, 10])
