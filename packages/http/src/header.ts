import type { Exchange, HeaderMap, Reply } from './exchange.ts'

/** Headers of a reply, by lower-case name. */
export type ReplyHeaders = Record<string, string | string[]>

/** The text of a header whose lines may be joined by commas; undefined when it is absent. */
export function headerText(headers: HeaderMap | ReplyHeaders, name: string): string | undefined {
  const lines = headers[name]
  return Array.isArray(lines) ? lines.join(', ') : lines
}

/** Adds a member to a comma-separated header, after what is there. */
export function appendHeader(headers: ReplyHeaders, name: string, member: string): void {
  const present = headerText(headers, name)
  headers[name] = present ? `${present}, ${member}` : member
}

/**
 * Names request headers on which a reply depends, keeping those already named.
 * `Vary: *` says more than any name, and stays as it is.
 */
export function addVary(headers: ReplyHeaders, ...names: readonly string[]): void {
  const present = headerText(headers, 'vary') ?? ''
  const members = present.split(',').map((member) => member.trim().toLowerCase())
  if (members.includes('*')) return
  const missing = names.filter((name) => !members.includes(name.toLowerCase()))
  if (missing.length > 0) headers['vary'] = [...(present.trim() ? [present] : []), ...missing].join(', ')
}

/** A header of the reply as it will be sent: its own, or else what a middleware has added for whatever is sent. */
export function sentHeader(exchange: Exchange, reply: Reply, name: string): string | undefined {
  return headerText(reply.headers, name) ?? headerText(exchange.replyHeaders, name)
}
