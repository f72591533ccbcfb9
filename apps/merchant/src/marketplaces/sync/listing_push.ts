import type { Database } from '@tailwater/postgres'
import { eachItem } from '../connector/each_item.ts'
import type { MarketplaceConnector, OfferRefusal } from '../connector/marketplace_connector.ts'
import { ROUND } from './claim_statements.ts'
import type { Connection } from './connection.ts'
import { type ListingNews, type ListingState, newsOf, offerOf } from './listing_news.ts'
import type { PushStatements } from './push_statements.ts'

/*
 * Telling a marketplace of listings. What has changed is written down where it changed, by number alone; here its newest state is read and told:
 *
 *   1. claim  some that wait, committed: nobody else tells of them, and no lock is held while somebody else's server thinks.
 *   2. read   what they are now, after the claim.
 *   3. tell   the difference to what was told last, by the call that needs the fewest words.
 *   4. note   what was told. One that changed meanwhile has another revision, and goes on waiting.
 *
 * When telling fails, or the process dies, what the marketplace heard is not known: then it is told everything the next time.
 */

/** What pushing is made of. */
export interface PushParts {
  database: Database
  statements: PushStatements
}

interface Claim {
  listingId: number
  revision: number
}

/**
 * Tells a marketplace of some of the listings that wait.
 *
 * @returns whether more may wait
 */
export async function pushListings(parts: PushParts, connection: Connection, signal: AbortSignal): Promise<boolean> {
  const { database, statements } = parts
  const { rows: claims } = await database.query<Claim>(statements.claim, [connection.id])
  if (claims.length === 0) return false
  const ids = claims.map(({ listingId }) => listingId)
  try {
    const { rows: states } = await database.query<ListingState>(statements.state, [ids])
    const refusals = await tell(connection.connector, newsOf(states), signal)
    await note(parts, claims, states, refusals)
  } catch (error) {
    await database.query(statements.givenBack, [ids])
    throw error
  }
  return claims.length === ROUND
}

/** Stock first: what is sold out there and here is what hurts. */
async function tell(connector: MarketplaceConnector, news: ListingNews, signal: AbortSignal): Promise<OfferRefusal[]> {
  const { stock, prices, offers, ended } = news
  const options = { signal }
  const refusals = [
    ...(stock.length > 0 ? await connector.setStock(stock.map(offerOf), options) : []),
    ...(prices.length > 0 ? await connector.setPrices(prices.map(offerOf), options) : []),
  ]
  const unknown = new Set(refusals.filter(({ reason }) => reason === 'unknown').map(({ externalId }) => externalId))
  const missing = [...stock, ...prices].filter(({ externalId }) => unknown.delete(externalId))
  const whole = [...offers, ...missing].map(offerOf)
  if (whole.length > 0) refusals.push(...(await connector.putOffers(whole, options)))
  await eachItem(ended, ({ externalId }) => connector.endOffer(externalId, options))
  return refusals.filter(({ reason }) => reason === 'refused')
}

async function note(
  { database, statements }: PushParts,
  claims: readonly Claim[],
  states: readonly ListingState[],
  refusals: readonly OfferRefusal[],
): Promise<void> {
  const told = new Map(states.map((state) => [state.listingId, state]))
  const reasons = new Map(refusals.map(({ externalId, message }) => [externalId, message]))
  const rows = claims.map(({ listingId, revision }) => {
    const state = told.get(listingId)
    const refusal = (state && reasons.get(state.externalId)) ?? null
    // What was refused is not there as it should be: the next change tells all of it.
    const isThere = state?.isOffered === true && refusal === null
    return {
      listingId,
      revision,
      refusal,
      shown: isThere ? state : undefined,
      mayBeThere: state?.isOffered === true,
      state,
    }
  })
  await database.query(statements.told, [
    rows.map(({ listingId }) => listingId),
    rows.map(({ revision }) => revision),
    rows.map(({ shown }) => shown?.title ?? null),
    rows.map(({ shown }) => shown?.price ?? null),
    rows.map(({ shown }) => shown?.quantity ?? null),
    rows.map(({ refusal }) => refusal),
    rows.map(({ mayBeThere }) => mayBeThere),
    rows.map(({ state }) => state?.externalId ?? null),
  ])
}
