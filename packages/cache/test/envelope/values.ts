import type { Decoded, EnvelopeMeta, Rejection } from '../../src/envelope/envelope.ts'
import type { EnvelopeFormat } from '../../src/envelope/format.ts'

/** What an entry in these tests says of itself. */
export const meta: EnvelopeMeta = {
  created: 1_893_456_000_000,
  fresh: 60_000,
  usable: 3_660_000,
  tags: [
    { name: 'product', number: 1_893_456_000_000_123 },
    { name: 'brand:Å', number: 7 },
  ],
}

/** Opens and decodes. */
export async function read(format: EnvelopeFormat, key: string, bytes: Buffer): Promise<Decoded> {
  const envelope = format.open(key, bytes)
  return envelope.rejected ? envelope : format.decode(envelope)
}

/** Why bytes are no entry; undefined when they are one. */
export async function rejectionOf(format: EnvelopeFormat, key: string, bytes: Buffer): Promise<Rejection | undefined> {
  return (await read(format, key, bytes)).rejected
}

/** Products as a list page has them: the JSON is compressible text. */
export function products(count: number): object[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    name: `Product ${id}`,
    price: id * 1.25,
    inStock: id % 3 > 0,
  }))
}
