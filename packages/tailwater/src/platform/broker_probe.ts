import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Clock, TailwaterError, toError } from '@tailwater/core'

/** First bytes of an AMQP 0-9-1 client (section 4.2.2 of the protocol): a broker answers with a method frame, whose first byte is 1. */
const PROTOCOL_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1])
const METHOD_FRAME = 1
/** Milliseconds in which a broker must answer. */
const ANSWER_TIME = 5_000

/** Resolves when a broker that speaks AMQP 0-9-1 answers at `url`. @throws E_BROKER_UNAVAILABLE naming host and port, never the credentials */
export async function probeBroker(url: string, clock: Clock): Promise<void> {
  const { hostname, port, protocol } = new URL(url)
  const isTls = protocol === 'amqps:'
  // A URL writes an IPv6 address in brackets, and a socket wants it bare.
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const target = { host, port: Number(port) || (isTls ? 5_671 : 5_672) }
  const socket = isTls ? connectTls({ ...target, ...(isIP(host) ? {} : { servername: host }) }) : connectTcp(target)
  try {
    await answered(socket, clock)
  } catch (cause) {
    const reason = toError(cause).message
    throw new TailwaterError(
      'E_BROKER_UNAVAILABLE',
      `no RabbitMQ answers at ${target.host}:${target.port} (${reason}): start it, or correct or remove AMQP_URL`,
      { ...target, cause },
    )
  } finally {
    socket.destroy()
  }
}

function answered(socket: Socket, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ANSWER_TIME, () => reject(new Error(`no answer in ${ANSWER_TIME} ms`)))
    const settle = (act: () => void) => {
      cancel()
      act()
    }
    socket.on('error', (error) => settle(() => reject(error)))
    socket.once('close', () => settle(() => reject(new Error('the connection was closed'))))
    socket.once('data', (data) =>
      settle(() => (data[0] === METHOD_FRAME ? resolve() : reject(new Error('it does not speak AMQP 0-9-1')))),
    )
    socket.write(PROTOCOL_HEADER)
  })
}
