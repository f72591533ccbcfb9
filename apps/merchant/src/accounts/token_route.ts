import type { Clock } from '@tailwater/core'
import { bearerToken, type Route, route, unauthenticated } from '@tailwater/http'
import type { Database } from '@tailwater/postgres'
import { Type } from 'typebox'
import type { AccountStatements } from './account_statements.ts'
import { findApiKey } from './api_key.ts'
import type { Identity } from './identity.ts'

/** What giving tokens is made of. */
export interface TokenParts {
  database: Database
  statements: AccountStatements
  identity: Identity
  clock: Clock
}

const Body = Type.Object({ apiKey: Type.Optional(Type.String({ maxLength: 100, examples: ['tw_live_…'] })) })

const Answer = Type.Object({
  token: Type.String(),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds.' }),
})

/** The route that gives a merchant a token for its API key. */
export function tokenRoute({ database, statements, identity, clock }: TokenParts): Route {
  return route({
    method: 'POST',
    path: '/auth/token',
    id: 'createToken',
    summary: 'A token for a day, in exchange for an API key',
    description: 'The key is given in the body, or as the Bearer token. The token ends early when its key is revoked.',
    tags: ['accounts'],
    schema: { body: Type.Optional(Body), response: { 200: Answer } },
    async handler({ body, exchange }) {
      const given = body?.apiKey ?? bearerToken(exchange.headers)
      const key = given === undefined ? undefined : await findApiKey(database, statements, given)
      if (!key) throw unauthenticated('The API key is not, or no longer, good.')
      const { token, expiresAt } = await identity.issueToken(key)
      return { token, tokenType: 'Bearer', expiresIn: Math.round((expiresAt - clock.now()) / 1000) }
    },
  })
}
