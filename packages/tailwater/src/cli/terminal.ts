/** Where a command writes to. */
export interface Terminal {
  say(line: string): void
  complain(line: string): void
}
