import { isSecretName, plainName } from '@tailwater/core'

/** What stands in for a value that is not shown. */
export const REDACTED = '[redacted]'

/** Depth below which nothing is shown: a payload that deep is read by no person. */
const MAX_DEPTH = 20

/**
 * Hides values of plain data: `email` wherever it stands, `customer.name` at that path (from the root; `*` for any one step, array places among them).
 *
 * @param rules names and paths, besides passwords, tokens and the like, which are always hidden
 * @returns a function that gives a copy
 */
export function createRedaction(rules: readonly string[] = []): (data: unknown) => unknown {
  const names = new Set(rules.filter((rule) => !rule.includes('.')).map(plainName))
  const paths = rules.filter((rule) => rule.includes('.')).map((rule) => rule.split('.'))

  const isHidden = (name: string, path: readonly string[]) =>
    isSecretName(name) ||
    names.has(plainName(name)) ||
    paths.some((steps) => steps.length === path.length && steps.every((step, i) => step === '*' || step === path[i]))

  function copy(value: unknown, path: readonly string[]): unknown {
    if (value === null || typeof value !== 'object') return value
    if (path.length >= MAX_DEPTH) return REDACTED
    if (Array.isArray(value)) return value.map((item, index) => member(item, String(index), path))
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, member(inner, name, path)]))
  }

  function member(value: unknown, name: string, above: readonly string[]): unknown {
    const path = [...above, name]
    return isHidden(name, path) ? REDACTED : copy(value, path)
  }

  return (data) => copy(data, [])
}
