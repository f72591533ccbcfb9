/**
 * Which statement this is, whatever its constants.
 *
 * The text is normalised (comments dropped, white space collapsed, letters outside quotes lowered, every literal and
 * placeholder a `?`, a list of them one `?`) and hashed by 64-bit FNV-1a. Results are kept per text, so
 * that a hot statement costs one look-up; the map is emptied when full, which costs a program that writes
 * constants into its SQL one normalisation per statement and no memory.
 */
export function fingerprint(text: string): string {
  const known = seen.get(text)
  if (known !== undefined) return known
  const print = fnv1a64(normaliseSql(text))
  if (seen.size >= MAX_TEXTS) seen.clear()
  seen.set(text, print)
  return print
}

/** Distinct texts whose fingerprints are kept: far beyond any application's, about 1 MB at worst. */
const MAX_TEXTS = 2_000
const seen = new Map<string, string>()

/**
 * Alternatives in the order they must be tried: comments, strings (plain, escape, dollar-quoted), quoted names,
 * placeholders, words, numbers, white space, any other sign.
 */
const TOKEN =
  /(--[^\n]*|\/\*[\s\S]*?\*\/)|([eE]'(?:[^'\\]|\\[\s\S]|'')*'|[bBxXnN]?'(?:[^']|'')*'|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\3\$)|("(?:[^"]|"")*")|(\$\d+)|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(\s+)|([\s\S])/g

const LITERAL_WORDS = new Set(['true', 'false', 'null'])

/** A statement without its constants. */
export function normaliseSql(text: string): string {
  let out = ''
  for (const [all, comment, string, , quoted, placeholder, word, number, space] of text.matchAll(TOKEN)) {
    if (comment !== undefined || space !== undefined) out = spaced(out)
    else if (string !== undefined || placeholder !== undefined || number !== undefined) out += '?'
    else if (word !== undefined) out += LITERAL_WORDS.has(word.toLowerCase()) ? '?' : word.toLowerCase()
    else if (quoted !== undefined) out += quoted
    else out += all
  }
  return collapsed(out.trim())
}

const spaced = (out: string) => (out.endsWith(' ') ? out : `${out} `)

/** Words after which a sign belongs to the constant that follows it. */
const SIGNED_AFTER =
  /\b(select|distinct|all|any|where|and|or|not|between|like|ilike|when|then|else|case|by|on|having|limit|offset|returning) ?[-+] ?\?/g

/** Signs stand without spaces about them; a negative constant is a constant; a list of constants, and a list of lists, is one. */
function collapsed(text: string): string {
  return text
    .replace(/ ?([(),;=<>+*/]) ?/g, '$1')
    .replace(/([(,=<>] ?)[-+] ?\?/g, '$1?')
    .replace(SIGNED_AFTER, '$1 ?')
    .replace(/\(\?(?:,\?)+\)/g, '(?)')
    .replace(/\[\?(?:,\?)+\]/g, '[?]')
    .replace(/\(\?\)(?:,\(\?\))+/g, '(?)')
    .replace(/;+$/, '')
}

const FNV_PRIME_LOW = 0x1b3

/**
 * 64-bit FNV-1a (Fowler, Noll and Vo) over UTF-16 code units, in two 32-bit halves because BigInt
 * would be some fifty times slower. The prime is 2^40 + 0x1b3.
 */
function fnv1a64(text: string): string {
  let high = 0xcbf29ce4
  let low = 0x84222325
  for (let i = 0; i < text.length; i++) {
    low = (low ^ text.charCodeAt(i)) >>> 0
    const product = low * FNV_PRIME_LOW
    const carry = Math.floor(product / 0x1_0000_0000)
    high = (Math.imul(high, FNV_PRIME_LOW) + carry + (low << 8)) >>> 0
    low = product >>> 0
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}
