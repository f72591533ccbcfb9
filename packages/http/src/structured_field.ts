/** What a parameter or an item may hold: whole numbers, texts, booleans, bytes. */
export type BareItem = number | string | boolean | Uint8Array

/** A member of a list, with its parameters in order. */
export interface StructuredItem {
  value: BareItem
  parameters?: Readonly<Record<string, BareItem>>
}

/**
 * Writes a List of Structured Field Values for HTTP (RFC 9651, section 4.1.1).
 *
 * Only what our headers need: items of integers, strings, booleans and byte sequences.
 *
 * @example
 * serializeList([{ value: 'daily', parameters: { q: 1000, w: 86400 } }]) // '"daily";q=1000;w=86400'
 */
export function serializeList(items: readonly StructuredItem[]): string {
  return items.map(serializeItem).join(', ')
}

function serializeItem({ value, parameters = {} }: StructuredItem): string {
  let text = serializeBare(value)
  for (const [key, parameter] of Object.entries(parameters))
    text += parameter === true ? `;${key}` : `;${key}=${serializeBare(parameter)}`
  return text
}

function serializeBare(value: BareItem): string {
  if (typeof value === 'number') return String(Math.trunc(value))
  if (typeof value === 'boolean') return value ? '?1' : '?0'
  if (typeof value === 'string') return `"${value.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
  return `:${Buffer.from(value).toString('base64')}:`
}
