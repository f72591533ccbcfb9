/** Characters of a key or a tag: stores index them. */
const MOST = 255

const CHARACTERS = `1 to ${MOST} characters, well-formed and without NUL`

/** What keys and tags are, in words. */
export const LABEL = `a text of ${CHARACTERS}`

/** Whether a value can be a key or a tag: no store would take another, and those stored together with it would fail with it. */
export function isLabel(given: unknown): given is string {
  if (typeof given !== 'string' || given.length === 0 || given.length > MOST) return false
  return !given.includes('\0') && given.isWellFormed()
}

/** Tags of one job at most. */
const MOST_TAGS = 100

/** What a list of tags is, in words. */
export const LABELS = `an array of at most ${MOST_TAGS} texts, each of ${CHARACTERS}`

/** Whether a value can be the tags of a job. */
export function areLabels(given: unknown): boolean {
  return Array.isArray(given) && given.length <= MOST_TAGS && given.every(isLabel)
}

/** The text as every store can keep it: without NUL, which PostgreSQL refuses, and whole characters only. */
export function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}
