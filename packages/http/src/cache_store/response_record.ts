import type { StoredResponse, Variants } from '../response_cache/stored_response.ts'

/** What is stored under one key, with the numbers that its tags had when it was asked for. */
export interface ResponseRecord {
  key: string
  tags: readonly (readonly [name: string, number: number])[]
  variants: Variants
}

/** Changes with the layout: what another version of this package wrote is nothing to this one. */
const VERSION = 1

/** The length of a JSON text in four bytes, that text, and the bodies one behind the other. */
export function encodeRecord({ key, tags, variants }: ResponseRecord): Buffer {
  const heads = variants.map(({ body, ...head }) => ({ ...head, length: body.length }))
  const json = Buffer.from(JSON.stringify({ version: VERSION, key, tags, variants: heads }))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.length)
  return Buffer.concat([length, json, ...variants.map(({ body }) => body)])
}

type Head = Omit<StoredResponse, 'body'> & { length: number }

/** Undefined for what is damaged, of another version, or of another key. */
export function decodeRecord(bytes: Buffer, key: string): ResponseRecord | undefined {
  try {
    const end = 4 + bytes.readUInt32BE(0)
    const record = JSON.parse(bytes.toString('utf8', 4, end)) as ResponseRecord & { version: number; variants: Head[] }
    if (record.version !== VERSION || record.key !== key) return undefined
    let at = end
    const variants = (record.variants as unknown as Head[]).map(({ length, ...head }) => {
      const body = bytes.subarray(at, at + length)
      at += length
      return { ...head, body }
    })
    return at === bytes.length ? { key, tags: record.tags, variants } : undefined
  } catch {
    // Cut short, or not ours.
    return undefined
  }
}
