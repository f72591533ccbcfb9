import type { Offer } from '../connector/marketplace_connector.ts'

/** A listing as it is, and as its marketplace was told. */
export interface ListingState {
  listingId: number
  externalId: string
  isOffered: boolean
  title: string
  price: number
  quantity: number
  mayBeThere: boolean
  /** The number under which it may be there. */
  toldExternalId: string | null
  /** Null when nobody knows what is shown there, if anything. */
  toldTitle: string | null
  toldPrice: number | null
  toldQuantity: number | null
}

/** What a marketplace has to hear of listings, by the call that says it with the fewest words. */
export interface ListingNews {
  stock: ListingState[]
  prices: ListingState[]
  offers: ListingState[]
  ended: ListingState[]
}

/** Compares what is with what was told. */
export function newsOf(states: readonly ListingState[]): ListingNews {
  const news: ListingNews = { stock: [], prices: [], offers: [], ended: [] }
  for (const state of states) {
    const { toldExternalId } = state
    const hasMoved = toldExternalId !== null && toldExternalId !== state.externalId
    if (hasMoved && state.mayBeThere) news.ended.push({ ...state, externalId: toldExternalId })
    if (!state.isOffered) {
      if (state.mayBeThere && !hasMoved) news.ended.push(state)
    } else if (hasMoved || state.title !== state.toldTitle) news.offers.push(state)
    else {
      if (state.quantity !== state.toldQuantity) news.stock.push(state)
      if (state.price !== state.toldPrice) news.prices.push(state)
    }
  }
  return news
}

/** A listing, whole. */
export function offerOf({ externalId, title, price, quantity }: ListingState): Offer {
  return { externalId, title, price, quantity }
}
