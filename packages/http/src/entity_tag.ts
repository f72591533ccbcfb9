/** An ETag as compared: its opaque part with the quotes, and whether it is weak. */
export interface EntityTag {
  opaque: string
  weak: boolean
}

/** What `If-Match` or `If-None-Match` asks for: whichever version there is, or one of these. */
export type TagList = '*' | readonly EntityTag[]

/** RFC 9110, section 8.8.3: visible characters without the quote, and bytes above 0x7F. */
const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\uffff]*")/g

/** Marks the ETag of a compressed variant; inside the quotes, last. */
const CODING_SUFFIX = /\+(?:zstd|br|gzip)"$/

/** Reads one ETag; undefined when it is not well formed. */
export function parseTag(text: string): EntityTag | undefined {
  const tags = parseTagList(text)
  return tags !== '*' && tags.length === 1 ? tags[0] : undefined
}

/** Reads the list of `If-Match` and `If-None-Match`; what is not a tag is passed over. */
export function parseTagList(header: string): TagList {
  if (header.trim() === '*') return '*'
  return Array.from(header.matchAll(TAG), (match) => ({ weak: match[1] !== undefined, opaque: match[2]! }))
}

/** The ETag of the variant of a representation in one content coding; a weak tag covers all codings and stays. */
export function tagOfVariant(tag: string, coding: string): string {
  return tag.startsWith('W/') || !tag.endsWith('"') ? tag : `${tag.slice(0, -1)}+${coding}"`
}

/** The ETag of the representation of which this is a compressed variant. */
export function withoutCoding(opaque: string): string {
  return opaque.replace(CODING_SUFFIX, '"')
}

/**
 * Weak comparison, for `If-None-Match`: the same version, whichever coding it was sent in
 * (RFC 9110, section 8.8.3.2).
 */
export function matchesWeakly(asked: TagList, current: EntityTag): boolean {
  return asked === '*' || asked.some((tag) => isSameOpaque(tag, current))
}

/**
 * Strong comparison, for `If-Match`: neither may be weak.
 * The suffix of a coding is ours, added to a strong tag, and names the same version of the resource.
 */
export function matchesStrongly(asked: TagList, current: EntityTag): boolean {
  return asked === '*' || asked.some((tag) => !tag.weak && !current.weak && isSameOpaque(tag, current))
}

function isSameOpaque(asked: EntityTag, current: EntityTag): boolean {
  return asked.opaque === current.opaque || withoutCoding(asked.opaque) === current.opaque
}
