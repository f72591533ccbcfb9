/**
 * Whether a topic fits a pattern of a topic exchange, as AMQP 0-9-1 says it: both are words joined by dots, `*` stands for one word, `#` for any number, none too.
 *
 * Time grows with the product of their lengths at worst: a second `#` needs no look back at what the first one took.
 */
export function matchesPattern(pattern: readonly string[], topic: readonly string[]): boolean {
  let at = 0
  let word = 0
  let hashAt = -1
  let hashWord = 0
  while (word < topic.length) {
    const part = pattern[at]
    if (part === '#') {
      hashAt = at++
      hashWord = word
    } else if (part === '*' || part === topic[word]) {
      at++
      word++
    } else if (hashAt >= 0) {
      // The last hash takes one word more.
      at = hashAt + 1
      word = ++hashWord
    } else return false
  }
  while (pattern[at] === '#') at++
  return at === pattern.length
}
