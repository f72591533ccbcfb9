import { isSecretName, optionsError } from '@tailwater/core'

/** Parts of a value that a preview shows, and characters of a text. */
const MAX_PARTS = 100
const MAX_TEXT = 200
const MAX_DEPTH = 6

/** Shows a value to a person: small, and without what nobody should read on a page. */
export type Preview = (value: unknown) => unknown

/** @param redact names of fields, or expressions for them, in place of the usual ones @throws E_OPTIONS */
export function createPreview(redact: readonly (string | RegExp)[] | undefined): Preview {
  for (const rule of redact ?? [])
    if (typeof rule !== 'string' && !(rule instanceof RegExp))
      throw optionsError('createCache.redact', 'names or expressions', rule)
  const isSecret = (name: string) =>
    redact
      ? redact.some((rule) =>
          typeof rule === 'string'
            ? rule === name
            : new RegExp(rule.source, rule.flags.replace(/[gy]/g, '')).test(name),
        )
      : isSecretName(name)
  return (value) => {
    let parts = 0
    const show = (part: unknown, depth: number): unknown => {
      if (typeof part === 'string')
        return part.length > MAX_TEXT ? `${part.slice(0, MAX_TEXT)}… (${part.length} characters)` : part
      if (typeof part === 'bigint' || typeof part === 'function' || typeof part === 'symbol')
        return String(part).slice(0, MAX_TEXT)
      if (typeof part !== 'object' || part === null) return part
      if (ArrayBuffer.isView(part)) return `(${part.byteLength} bytes)`
      if (part instanceof Date) return Number.isNaN(part.getTime()) ? String(part) : part.toISOString()
      if (++parts > MAX_PARTS || depth > MAX_DEPTH) return '…'
      if (Array.isArray(part) || part instanceof Set)
        return [...part].slice(0, MAX_PARTS).map((one) => show(one, depth + 1))
      const entries: [string, unknown][] =
        part instanceof Map ? [...part].map(([key, one]) => [String(key), one]) : membersOf(part)
      return Object.fromEntries(
        entries.slice(0, MAX_PARTS).map(([name, one]) => [name, isSecret(name) ? '(hidden)' : show(one, depth + 1)]),
      )
    }
    return show(value, 0)
  }
}

/** Without those that have to be called, which may do anything. */
function membersOf(part: object): [string, unknown][] {
  return Object.entries(Object.getOwnPropertyDescriptors(part))
    .filter(([, { enumerable }]) => enumerable)
    .map(([name, { get, value }]) => [name, get ? '(getter)' : value])
}
