/** A pattern as a regular expression: `*` stands for any text, everything else for itself. */
export function patternRegExp(pattern: string): RegExp {
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  return new RegExp(`^${pattern.split('*').map(literal).join('[^]*')}$`)
}
