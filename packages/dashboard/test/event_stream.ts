import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

/** One event as it came. */
export interface ReceivedEvent {
  event: string | undefined
  id: string | undefined
  data: unknown
}

/** Reads server-sent events one by one. */
export async function readEvents(t: TestContext, url: string, headers: Record<string, string>) {
  const abort = new AbortController()
  t.after(() => abort.abort())
  const reply = await fetch(url, { headers, signal: abort.signal })
  assert.equal(reply.status, 200)
  assert.match(reply.headers.get('content-type') ?? '', /^text\/event-stream/)
  assert.equal(reply.headers.get('content-encoding'), null)
  const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''

  async function next(): Promise<ReceivedEvent> {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end < 0) {
        const { done, value } = await reader.read()
        assert.ok(!done, 'the stream ended')
        text += value
        continue
      }
      const fields = fieldsOf(text.slice(0, end))
      text = text.slice(end + 2)
      if (fields['data'] !== undefined)
        return { event: fields['event'], id: fields['id'], data: JSON.parse(fields['data']) }
    }
  }

  return {
    next,
    /** Resolves when the server has ended the stream. */
    async ended() {
      for (;;) if ((await reader.read()).done) return
    },
  }
}

function fieldsOf(block: string): Record<string, string> {
  return Object.fromEntries(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )
}
