import { type Clock, systemClock } from './clock.ts'
import { randomPage } from './random_page.ts'

/** Makes one new id at each call. */
export type IdSource = () => string

/**
 * Makes UUIDs of version 7 (RFC 9562, section 5.7): 48 bits of time, 12 bits of a counter, 62 random bits.
 *
 * Ids of one source sort in the order they were made, within a millisecond too (method 1 of section
 * 6.2: a counter seeded at random each millisecond), and never go back when the clock does.
 */
export function createIdSource(clock: Clock = systemClock): IdSource {
  const draw = randomPage()
  let lastMs = 0
  let counter = 0
  return () => {
    const bytes = draw(16)
    const now = clock.now()
    if (now > lastMs) {
      lastMs = now
      counter = ((bytes[6]! << 8) | bytes[7]!) & 0x7ff
    } else if (++counter > 0xfff) {
      lastMs++
      counter = 0
    }
    bytes.writeUIntBE(lastMs, 0, 6)
    bytes[6] = 0x70 | (counter >> 8)
    bytes[7] = counter & 0xff
    bytes[8] = 0x80 | (bytes[8]! & 0x3f)
    return hyphenated(bytes.toString('hex'))
  }
}

function hyphenated(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The process's own id source, on the machine's clock. */
export const newId: IdSource = createIdSource()

/** Whether a text is a UUID of any version, in the hyphenated form. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)
}
