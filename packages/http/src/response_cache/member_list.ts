/** A comma-separated header in its members. */
export interface MemberList {
  /** Trimmed, empty ones left out; commas within quotes separate nothing. */
  readonly members: readonly string[]
  /** Whether every quoted string has its end. */
  readonly isClosed: boolean
}

/**
 * Splits a header at its commas, in time that grows with its length alone: clients write 16 KB of whatever they like.
 *
 * A quote that is never closed is a character like another, and so are all after it.
 */
export function splitMembers(header: string): MemberList {
  const members: string[] = []
  let isClosed = true
  let begin = 0
  for (let at = 0; at <= header.length; at++) {
    if (at === header.length || header[at] === ',') {
      const member = header.slice(begin, at).trim()
      if (member !== '') members.push(member)
      begin = at + 1
    } else if (header[at] === '"' && isClosed) {
      const end = endOfQuoted(header, at)
      if (end === undefined) isClosed = false
      else at = end
    }
  }
  return { members, isClosed }
}

/** Where the string that begins with a quote ends, the quote included; a backslash escapes what follows it (RFC 9110, section 5.6.4). */
function endOfQuoted(header: string, begin: number): number | undefined {
  for (let at = begin + 1; at < header.length; at++) {
    if (header[at] === '\\') at++
    else if (header[at] === '"') return at
  }
  return undefined
}
