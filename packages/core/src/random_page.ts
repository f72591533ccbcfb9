import { randomFillSync } from 'node:crypto'

/** Bytes drawn at a time: asking the system costs as much for a page as for an id, and a request makes several. */
const PAGE = 4_096

/** A source of random bytes for ids and for nonces, which are told as soon as they are made; not for secrets: what is still to be given out lies in memory. */
export function randomPage(): (size: number) => Buffer {
  const page = Buffer.allocUnsafeSlow(PAGE)
  let used = PAGE
  return (size) => {
    if (used + size > PAGE) {
      randomFillSync(page)
      used = 0
    }
    used += size
    return page.subarray(used - size, used)
  }
}
