/**
 * Directives of `Cache-Control`, or of a targeted field such as `CDN-Cache-Control` (RFC 9111, section 5.2; RFC 9213).
 *
 * Names are in lower case; of a name given twice the first counts (section 4.2.1 leaves the choice between that and taking the response for stale).
 */
export type Directives = ReadonlyMap<string, string | true>

/** One member: a token, and after an equals sign a token or a quoted string. */
const MEMBER = /([!#$%&'*+.^_`|~\w-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?\s*(?=,|;|$)/y
const SEPARATOR = /[\s,]*/y
const SKIP_TO_COMMA = /(?:"(?:[^"\\]|\\.)*"|[^",])*(?:"[^,]*)?(?:,|$)/y

/** The largest number of seconds told apart: 2^31, as section 1.2.2 recommends. */
const MOST_SECONDS = 2 ** 31

/**
 * Reads the directives; what cannot be read is passed over up to the next comma, so that one malformed member does not hide `no-store` after it.
 */
export function parseDirectives(header: string | undefined): Directives {
  const found = new Map<string, string | true>()
  if (header === undefined) return found
  for (let at = 0; at < header.length; ) {
    SEPARATOR.lastIndex = at
    SEPARATOR.test(header)
    at = SEPARATOR.lastIndex
    if (at >= header.length) break
    MEMBER.lastIndex = at
    const match = MEMBER.exec(header)
    if (match) {
      const name = match[1]!.toLowerCase()
      const value = match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? true
      if (!found.has(name)) found.set(name, value)
      at = MEMBER.lastIndex
    }
    SKIP_TO_COMMA.lastIndex = at
    SKIP_TO_COMMA.test(header)
    at = Math.max(at + 1, SKIP_TO_COMMA.lastIndex)
  }
  return found
}

/**
 * Seconds of a directive such as `max-age`.
 *
 * @returns undefined when it is absent; 0 when it is no number of seconds, so that what cannot be understood is stale rather than fresh for ever
 */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const value = directives.get(name)
  if (value === undefined) return undefined
  return value !== true && /^\d+$/.test(value) ? Math.min(Number(value), MOST_SECONDS) : 0
}

/** Header names that `no-cache` or `private` name; undefined when the directive is absent or names none and so is about the whole response. */
export function namedFields(directives: Directives, name: 'no-cache' | 'private'): readonly string[] | undefined {
  const value = directives.get(name)
  if (value === undefined || value === true) return undefined
  const names = value
    .split(',')
    .map((field) => field.trim().toLowerCase())
    .filter(Boolean)
  return names.length > 0 ? names : undefined
}
