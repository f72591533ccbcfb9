/** One client under measurement: it publishes with confirmation and consumes with acknowledgement, on a quorum queue of its own. */
export interface BothWays {
  /** Publishes one message; resolves when it is confirmed. */
  publish(): Promise<unknown>
  close(): Promise<unknown>
}

/** Opens a client on a fresh queue; `onMessage` is told of each message, and resolves before it is acknowledged. */
export type OpenBothWays = (url: string, queue: string, onMessage: () => Promise<void>) => Promise<BothWays>

/** Bytes of a message. */
export const BODY = Buffer.from(JSON.stringify({ text: 'x'.repeat(189) }))
/** Messages that are given and not acknowledged. */
export const PREFETCH = 200
/** Publishes that are not confirmed. */
const IN_FLIGHT = 1_000

/** Messages a second, from the first publish until all are handled and confirmed. */
export async function measureBothWays(open: OpenBothWays, url: string, queue: string, count: number): Promise<number> {
  let left = 0
  let finish: () => void = () => {}
  const client = await open(url, queue, async () => {
    if (--left === 0) finish()
  })
  const run = async (messages: number): Promise<number> => {
    left = messages
    const handled = new Promise<void>((resolve) => {
      finish = resolve
    })
    const began = performance.now()
    let started = 0
    const lane = async () => {
      while (started < messages) {
        started++
        await client.publish()
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
    await handled
    return messages / ((performance.now() - began) / 1_000)
  }
  await run(Math.min(2_000, count))
  const rate = await run(count)
  await client.close()
  return rate
}
