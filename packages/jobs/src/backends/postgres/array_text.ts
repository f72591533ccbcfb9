/** What an element may be; undefined and null are NULL. */
type Element = string | number | boolean | null | undefined

/**
 * An array as PostgreSQL reads it from a text, `{"a","b",NULL}`; null when no element is given, so that a batch names only what some job of it has.
 *
 * A text, because the libraries that carry a user's transaction disagree on every other value, and on NULLs within arrays above all.
 */
export function arrayText(elements: readonly Element[]): string | null {
  let hasOne = false
  let text = '{'
  for (const [index, element] of elements.entries()) {
    if (index > 0) text += ','
    if (element === undefined || element === null) text += 'NULL'
    else {
      hasOne = true
      text += typeof element === 'string' ? quoted(element) : String(element)
    }
  }
  return hasOne ? `${text}}` : null
}

/** Most elements need no escape, and looking for one is quicker than replacing none. */
function quoted(element: string): string {
  if (!/["\\]/.test(element)) return `"${element}"`
  return `"${element.replace(/["\\]/g, '\\$&')}"`
}
