import { backgroundError, type Clock, sleep, toError } from '@tailwater/core'
import { signatureOf } from '../signature.ts'

/** Where a marketplace tells of its orders. */
export interface WebhookTarget {
  url: string
  secret: string
}

/** Pauses between the tries, in milliseconds: whoever misses them all finds the order when it asks. */
const PAUSES = [0, 500, 2_000]
/** Milliseconds for one call. */
const PATIENCE = 5_000

/** Tells of one order, with a signature over its text; tries a few times, and gives up. */
export async function callWebhook(target: WebhookTarget, order: object, clock: Clock): Promise<void> {
  // What is signed goes as a text of its own, so that no proxy or parser on its way can write it otherwise.
  const data = JSON.stringify(order)
  for (const pause of PAUSES) {
    await sleep(clock, pause)
    if (await isHeard(target, data, clock)) return
  }
}

async function isHeard({ url, secret }: WebhookTarget, data: string, clock: Clock): Promise<boolean> {
  const at = clock.now()
  const signature = signatureOf(secret, { at, method: 'POST', path: new URL(url).pathname, body: data })
  const giveUp = new AbortController()
  const cancel = clock.after(PATIENCE, () => giveUp.abort())
  try {
    const answer = await fetch(url, {
      method: 'POST',
      body: JSON.stringify({ data }),
      headers: {
        'content-type': 'application/json',
        'x-marketplace-timestamp': String(at),
        'x-marketplace-signature': signature,
      },
      signal: giveUp.signal,
    })
    await answer.body?.cancel()
    return answer.ok
  } catch (error) {
    if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'webhook', error: toError(error) })
    return false
  } finally {
    cancel()
  }
}
