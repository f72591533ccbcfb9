/** A response as far as a load generator looks at it. */
export interface Response {
  status: number
  /** Bytes on the wire, head included. */
  size: number
  body: Buffer
}

const HEAD_END = Buffer.from('\r\n\r\n')
const LENGTH = /\r\ncontent-length: *(\d+)\r\n/i
const NOTHING = Buffer.alloc(0)

/**
 * Reads the responses of one HTTP/1.1 connection, one at a time: only as much of the protocol as our own servers speak, because
 * every microsecond here is taken from the server on the same machine.
 */
export class ResponseReader {
  #pending: Buffer = NOTHING

  /**
   * Takes what has arrived; gives the response once it is whole.
   *
   * @param chunk may be overwritten afterwards; so may the body that is returned
   * @throws Error for a response without a length, and for bytes that nobody asked for
   */
  take(chunk: Buffer): Response | undefined {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    const headEnd = bytes.indexOf(HEAD_END)
    if (headEnd < 0) return this.#wait(bytes)
    const head = bytes.toString('latin1', 0, headEnd + 2)
    const length = LENGTH.exec(head)
    if (!length) throw new Error(`a response without content-length: ${head.slice(0, 200)}`)
    const start = headEnd + HEAD_END.length
    const size = start + Number(length[1])
    if (bytes.length < size) return this.#wait(bytes)
    if (bytes.length > size) throw new Error('the server sent more than was asked for')
    this.#pending = NOTHING
    return { status: Number(head.slice(9, 12)), size, body: bytes.subarray(start, size) }
  }

  /** Kept as a copy: the socket reads into the same memory again. */
  #wait(bytes: Buffer): undefined {
    this.#pending = Buffer.from(bytes)
  }
}
