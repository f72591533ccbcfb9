import { type Cancel, type EventChannel, listen } from '@tailwater/core'

/** Resolves at the next event of any of the channels. */
export function nextOf(...channels: readonly EventChannel<object>[]): Promise<void> {
  return new Promise((resolve) => {
    const ends: Cancel[] = channels.map((one) =>
      listen(one, () => {
        for (const end of ends) end()
        resolve()
      }),
    )
  })
}
