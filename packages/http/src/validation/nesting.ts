/**
 * Deepest nesting of objects and lists in a body. Nothing sensible comes near it, and code that walks values by
 * recursion, ours and `JSON.stringify` included, fails some thousand levels down.
 */
export const MAX_DEPTH = 64

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = [0x5b, 0x7b]
const CLOSE = [0x5d, 0x7d]

/** Whether valid JSON nests deeper than `MAX_DEPTH`. Looks at each character once, before anything is built. */
export function nestsTooDeep(json: string): boolean {
  let depth = 0
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i)
    if (code === QUOTE) i = endOfText(json, i)
    else if (code === OPEN[0] || code === OPEN[1]) {
      if (++depth > MAX_DEPTH) return true
    } else if (code === CLOSE[0] || code === CLOSE[1]) depth--
  }
  return false
}

/** Where the text that begins at `from` ends. */
function endOfText(json: string, from: number): number {
  for (let i = from + 1; ; i++) {
    i = json.indexOf('"', i)
    if (i < 0) return json.length
    let backslashes = 0
    while (json.charCodeAt(i - 1 - backslashes) === BACKSLASH) backslashes++
    // An even number of backslashes escape each other, not the quote.
    if (backslashes % 2 === 0) return i
  }
}
