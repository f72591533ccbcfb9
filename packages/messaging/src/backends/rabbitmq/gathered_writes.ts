import type { Duplex } from 'node:stream'
import type { ChannelModel } from 'amqplib'

/**
 * Lets what is written to a connection in one turn of the event loop leave by one call of the system. amqplib writes each frame by itself, and
 * with confirmations arriving in flocks, each followed by a publish, the calls were a quarter of a publisher's time.
 * Its socket is not public: should it not be found, nothing is gathered and all works as before.
 */
export function gatherWrites(connection: ChannelModel): void {
  const { stream } = connection.connection as unknown as { stream?: Duplex }
  if (typeof stream?.cork !== 'function') return
  const write = stream.write.bind(stream) as (...given: unknown[]) => boolean
  let isGathering = false
  const leave = () => {
    isGathering = false
    stream.uncork()
  }
  stream.write = ((...given: unknown[]) => {
    if (!isGathering) {
      isGathering = true
      stream.cork()
      setImmediate(leave)
    }
    return write(...given)
  }) as Duplex['write']
}
