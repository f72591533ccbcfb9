/** Somebody else's text, as a column can hold it: without what PostgreSQL does not store, and not longer than it may be. */
export function plainText(text: string, longest: number): string {
  return text.toWellFormed().replaceAll('\0', '').trim().slice(0, longest)
}
