import type { Duplex } from 'node:stream'
import type { ChannelModel } from 'amqplib'

/** Bytes that are gathered at most before they leave: more would only be copied, and would hide from writers that the socket is full. */
const MOST = 256 * 1_024

/**
 * Lets what is written to a connection in one turn of the event loop leave as one piece. amqplib writes each frame by itself, and with confirmations
 * arriving in flocks, each followed by a publish, calls of the system and the stream's own records of small pieces were a third of a publisher's time.
 * Its socket is not public: should it not be found, nothing is gathered and all works as before.
 */
export function gatherWrites(connection: ChannelModel): void {
  const { stream } = connection.connection as unknown as { stream?: Duplex }
  if (typeof stream?.write !== 'function' || typeof stream.end !== 'function') return
  const write = stream.write.bind(stream) as (...given: unknown[]) => boolean
  const end = stream.end.bind(stream) as (...given: unknown[]) => Duplex
  let pieces: Buffer[] = []
  let bytes = 0
  const leave = () => {
    const all = pieces
    if (all.length === 0) return
    pieces = []
    bytes = 0
    // A socket that is gone has told so by its `close`.
    if (stream.writable) write(all.length === 1 ? all[0] : Buffer.concat(all))
  }
  stream.write = ((...given: unknown[]) => {
    const [piece] = given
    if (given.length > 1 || !Buffer.isBuffer(piece)) {
      leave()
      return write(...given)
    }
    if (pieces.push(piece) === 1) setImmediate(leave)
    bytes += piece.byteLength
    if (bytes >= MOST) leave()
    // Whoever waits is told by the stream's `drain`, which comes only if the stream itself has said so.
    return !stream.writableNeedDrain
  }) as Duplex['write']
  stream.end = ((...given: unknown[]) => {
    leave()
    return end(...given)
  }) as Duplex['end']
}
