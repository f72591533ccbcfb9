import { readFileSync } from 'node:fs'
import { TailwaterError } from '@tailwater/core'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { MarketplaceAccount } from '../marketplaces/sync/connection.ts'

const Accounts = Type.Array(
  Type.Object({
    slug: Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 80 }),
    wire: Type.Union([Type.Literal('bazaar'), Type.Literal('harbour')]),
    baseUrl: Type.String({ pattern: '^https?://\\S+[^/\\s]$' }),
    secret: Type.String({ minLength: 16 }),
    rate: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  }),
)

/** Reads how we sell on marketplaces: `[{ "slug", "wire", "baseUrl", "secret", "rate"? }]`. @throws E_OPTIONS, without repeating a secret */
export function readMarketplaceFile(path: string): MarketplaceAccount[] {
  let given: unknown
  try {
    given = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw wrong(path, 'cannot be read as JSON', cause)
  }
  const [fault] = Value.Errors(Accounts, given)
  if (fault) throw wrong(path, `is not a list of marketplaces: ${fault.instancePath || 'it'} ${fault.message}`)
  const accounts = Value.Parse(Accounts, given)
  const slugs = new Set(accounts.map(({ slug }) => slug))
  if (slugs.size < accounts.length) throw wrong(path, 'names a marketplace twice')
  return accounts
}

function wrong(path: string, what: string, cause?: unknown): TailwaterError {
  return new TailwaterError('E_OPTIONS', `the file of MARKETPLACES, ${path}, ${what}`, { path: 'MARKETPLACES', cause })
}
