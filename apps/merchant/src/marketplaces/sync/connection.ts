import type { Clock } from '@tailwater/core'
import type { Messaging, Policy } from '@tailwater/messaging'
import type { Database } from '@tailwater/postgres'
import { createBazaarConnector } from '../connector/bazaar_connector.ts'
import { createHarbourConnector } from '../connector/harbour_connector.ts'
import { MarketplaceClient } from '../connector/marketplace_client.ts'
import type { MarketplaceConnector } from '../connector/marketplace_connector.ts'
import type { statusStatements } from './status_statements.ts'

/** How we sell on a marketplace. */
export interface MarketplaceAccount {
  /** As it stands in the table of marketplaces; one that is not there is added. */
  slug: string
  /** The language that it speaks. */
  wire: 'bazaar' | 'harbour'
  /** Without a slash at its end; asked for at each call where it is not known before. */
  baseUrl: string | (() => string)
  /** By which requests and webhooks are signed. */
  secret: string
  /** Requests a second. @default 20 */
  rate?: number
}

/** A marketplace that we talk to. */
export interface Connection {
  /** In the table of marketplaces. */
  id: number
  slug: string
  connector: MarketplaceConnector
  policy: Policy
}

/** What connections are made of. */
export interface ConnectionParts {
  database: Database
  messaging: Messaging
  clock: Clock
  statements: ReturnType<typeof statusStatements>
  accounts: readonly MarketplaceAccount[]
}

/** Calls to one marketplace at once in a process, and how many more wait for a place. */
const PLACES = { limit: 8, queue: 1_000 }

/** The marketplaces that this process talks to. */
export class Connections {
  readonly #parts: ConnectionParts
  readonly #known: ReadonlyMap<string, Omit<Connection, 'id'>>
  #byId: Promise<ReadonlyMap<number, Connection>> | undefined

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.#known = new Map(parts.accounts.map((account) => [account.slug, connect(account, parts)]))
  }

  /** Every one, whether or not its number is known yet. */
  get slugs(): readonly string[] {
    return [...this.#known.keys()]
  }

  /** Every one, by its number; asked for once, and again after a failure. */
  all(): Promise<ReadonlyMap<number, Connection>> {
    this.#byId ??= this.#look().catch((error: unknown) => {
      this.#byId = undefined
      throw error
    })
    return this.#byId
  }

  /** One, by its number; undefined when we do not talk to it. */
  async of(id: number): Promise<Connection | undefined> {
    return (await this.all()).get(id)
  }

  /** One, by its name. */
  async called(slug: string): Promise<Connection | undefined> {
    if (!this.#known.has(slug)) return undefined
    return [...(await this.all()).values()].find((connection) => connection.slug === slug)
  }

  async #look(): Promise<ReadonlyMap<number, Connection>> {
    const { database, statements } = this.#parts
    if (this.#known.size === 0) return new Map()
    await database.query(statements.add, [this.slugs])
    const { rows } = await database.query<{ id: number; slug: string }>(statements.ids, [this.slugs])
    return new Map(rows.map(({ id, slug }) => [id, { id, ...this.#known.get(slug)! }]))
  }
}

function connect(account: MarketplaceAccount, { clock, messaging }: ConnectionParts): Omit<Connection, 'id'> {
  const { slug, wire, secret } = account
  const policy = messaging.policy(`marketplace-${slug}`, {
    timeout: '5s',
    // A kept connection that closes as it is used again, above all. Every call may be repeated.
    retry: { attempts: 3, backoff: { type: 'exponential', delay: 50, max: '1s', jitter: 0.5 } },
    bulkhead: PLACES,
    breaker: { failures: 5, halfOpenAfter: '5s' },
  })
  const client = new MarketplaceClient({ ...account, clock, policy })
  const open = wire === 'bazaar' ? createBazaarConnector : createHarbourConnector
  return { slug, policy, connector: open({ slug, client, secret }) }
}
