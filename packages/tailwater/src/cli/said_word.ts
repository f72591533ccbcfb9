/** Characters of a word that are said again: a line for a person stays one. */
const LONGEST = 100

/** A word of the command line as a complaint repeats it. */
export function saidAgain(word: string): string {
  return word.length > LONGEST ? `${word.slice(0, LONGEST)}…` : word
}
