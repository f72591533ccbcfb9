import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { MarketplaceError } from './marketplace_error.ts'

/** What somebody else's system sent, if it has the shape that was agreed. @throws E_MARKETPLACE_UNREACHABLE */
export function readAgreed<Schema extends TSchema>(slug: string, schema: Schema, body: unknown): Static<Schema> {
  if (Value.Check(schema, body)) return body as Static<Schema>
  throw new MarketplaceError('E_MARKETPLACE_UNREACHABLE', `${slug} answered in a shape that was not agreed`)
}
