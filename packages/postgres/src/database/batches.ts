/** Bytes to gather before they are sent: one packet of a few hundred rows in place of one each. */
const BATCH = 64 * 1024

/**
 * The same bytes in fewer pieces: a source that yields row by row would cost a write each.
 *
 * Between two pieces the event loop gets its turn. A generator is always ready, and a near server takes what
 * it is given, so that nothing else in the process, not even an abort, would run until the source ends.
 */
export async function* batches(source: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  let text = ''
  for await (const piece of source) {
    if (typeof piece === 'string') {
      text += piece
      if (text.length < BATCH) continue
      yield Buffer.from(text)
      text = ''
    } else {
      if (text !== '') yield Buffer.from(text)
      text = ''
      yield piece
    }
    await nextTurn()
  }
  if (text !== '') yield Buffer.from(text)
}

const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve))
