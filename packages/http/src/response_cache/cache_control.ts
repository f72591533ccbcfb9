import { splitMembers } from './member_list.ts'

/**
 * Directives of `Cache-Control`, or of a targeted field such as `CDN-Cache-Control` (RFC 9111, section 5.2; RFC 9213).
 *
 * Names are in lower case; of a name given twice the first counts (section 4.2.1 leaves the choice between that and taking the response for stale).
 */
export type Directives = ReadonlyMap<string, string | true>

/** A token, and after an equals sign a token or a quoted string; what follows a semicolon is not ours. */
const MEMBER = /^([!#$%&'*+.^_`|~\w-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?\s*(?:;|$)/

/** The largest number of seconds told apart: 2^31, as section 1.2.2 recommends. */
const MOST_SECONDS = 2 ** 31

/** Reads the directives; a member that cannot be read is passed over, so that it does not hide a `no-store` after it. */
export function parseDirectives(header: string | undefined): Directives {
  const found = new Map<string, string | true>()
  if (header === undefined) return found
  for (const member of splitMembers(header).members) {
    const match = MEMBER.exec(member)
    if (!match) continue
    const name = match[1]!.toLowerCase()
    if (!found.has(name)) found.set(name, match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? true)
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
