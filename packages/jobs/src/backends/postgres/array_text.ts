/** What an element may be; undefined and null are NULL. */
type Element = string | number | boolean | null | undefined

/**
 * An array as PostgreSQL reads it from a text, `{"a","b",NULL}`; null when no element is given, so that a batch names only what some job of it has.
 *
 * A text, because the libraries that carry a user's transaction disagree on every other value, and on NULLs within arrays above all.
 */
export function arrayText(elements: readonly Element[]): string | null {
  return arrayOf(elements, (element) => element)
}

/** The same of what is read from each of a list. Most columns of most batches are empty, and cost no more than a look at each job. */
export function arrayOf<T>(list: readonly T[], read: (one: T) => Element): string | null {
  let text = ''
  for (let at = 0; at < list.length; at++) {
    const element = read(list[at]!)
    const isNone = element === undefined || element === null
    if (text === '') {
      if (isNone) continue
      text = `{${'NULL,'.repeat(at)}`
    } else text += ','
    if (isNone) text += 'NULL'
    else text += typeof element === 'string' ? quoted(element) : String(element)
  }
  return text === '' ? null : `${text}}`
}

/** Characters that JSON writes in a way of its own, and halves of pairs, which it may. */
const SPECIAL = /[^ -\ud7ff\ue000-\uffff]/

/** Quotes and backslashes get a backslash, as in JSON, whose writer is quicker than any replacement; what else JSON escapes goes the slow way. */
function quoted(element: string): string {
  if (!SPECIAL.test(element)) return JSON.stringify(element)
  return `"${element.replace(/["\\]/g, '\\$&')}"`
}
