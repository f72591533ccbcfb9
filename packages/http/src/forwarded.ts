/** One proxy's statement about the hop before it; nearest to us last. */
export interface Hop {
  address: string | undefined
  protocol: string | undefined
  host: string | undefined
}

/** One `name=value` of a Forwarded element; the value a token or a quoted string. */
const PAIR = /\s*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";,]*))\s*(;|,|$)/y

/**
 * Reads a `Forwarded` header (RFC 7239) into its hops, the nearest proxy's last.
 *
 * A header that breaks the grammar is read as empty: half of a chain could name the wrong client.
 */
export function parseForwarded(header: string | string[] | undefined): Hop[] {
  const text = Array.isArray(header) ? header.join(',') : header
  if (!text) return []
  const hops: Hop[] = []
  let hop = emptyHop()
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < text.length) {
    const match = PAIR.exec(text)
    if (!match) return []
    const value = match[2] === undefined ? match[3]! : match[2].replace(/\\(.)/g, '$1')
    assign(hop, match[1]!.toLowerCase(), value)
    if (match[4] !== ';') {
      hops.push(hop)
      hop = emptyHop()
    }
  }
  return hops
}

function emptyHop(): Hop {
  return { address: undefined, protocol: undefined, host: undefined }
}

function assign(hop: Hop, name: string, value: string): void {
  if (name === 'for') hop.address = value
  else if (name === 'proto') hop.protocol = value.toLowerCase()
  else if (name === 'host') hop.host = value
}
