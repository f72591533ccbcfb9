/** A part of a body, both ends included. */
export interface ByteRange {
  first: number
  last: number
}

/**
 * The one range that a `Range` header asks for, of a body of `length` bytes (RFC 9110, section 14.1.2).
 *
 * @returns `whole` for several ranges, other units and what is malformed: a server may ignore the header
 */
export function byteRange(header: string, length: number): ByteRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim())
  if (!match || (match[1] === '' && match[2] === '')) return 'whole'
  if (match[1] === '') {
    const count = Number(match[2])
    if (count === 0 || length === 0) return 'unsatisfiable'
    return { first: Math.max(0, length - count), last: length - 1 }
  }
  const first = Number(match[1])
  const last = match[2] === '' ? length - 1 : Math.min(Number(match[2]), length - 1)
  if (match[2] !== '' && Number(match[2]) < first) return 'whole'
  return first >= length ? 'unsatisfiable' : { first, last }
}
