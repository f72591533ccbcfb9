import { finished, pipeline, type Readable } from 'node:stream'
import type { FlushableStream } from './content_coding.ts'

/**
 * Sends `source` through `encoder`, and gives back the compressed stream.
 *
 * A pause in the source flushes the encoder: rows written one by one reach the client when they
 * are written, not when 64 KB of them have come together. Chunks that arrive in one turn of the
 * event loop share a flush, so that a fast source pays for few.
 *
 * Whichever end goes away first takes the other with it. This matters: an encoder that nobody
 * destroys keeps its window (up to megabytes outside the heap) until the process ends.
 *
 * @param signal aborts when the client goes away
 * @param onClose called once, when the encoder has given back its memory
 */
export function compressStream(
  source: Readable,
  encoder: FlushableStream,
  { flushKind, signal, onClose }: { flushKind: number; signal: AbortSignal; onClose(): void },
): Readable {
  const onAbort = () => encoder.destroy()
  finished(encoder, { readable: true }, () => signal.removeEventListener('abort', onAbort))
  encoder.once('close', onClose)
  // The reply's sender sees the error on the encoder, which the pipeline destroys with it.
  pipeline(source, encoder, () => {})
  flushAtPauses(source, encoder, flushKind)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return encoder
}

function flushAtPauses(source: Readable, encoder: FlushableStream, flushKind: number): void {
  let dirty = false
  let scheduled = false
  let flushing = false
  const flush = () => {
    scheduled = false
    if (flushing || !dirty || encoder.destroyed || encoder.writableEnded) return
    dirty = false
    flushing = true
    encoder.flush(flushKind, () => {
      flushing = false
      if (dirty) schedule()
    })
  }
  const schedule = () => {
    if (scheduled) return
    scheduled = true
    setImmediate(flush)
  }
  source.on('data', () => {
    dirty = true
    schedule()
  })
}
