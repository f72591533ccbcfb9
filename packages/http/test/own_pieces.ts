/** The pieces of the contract's own stream, one per turn of the event loop. */
export async function* ownPieces(): AsyncGenerator<string> {
  for (const piece of ['a', 'b', 'c']) {
    await new Promise((resolve) => setImmediate(resolve))
    yield piece
  }
}

/** A turn of the event loop. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
