import type { Clock } from '@tailwater/core'

/** A product as the marketplace shows it. */
export interface SimulatedListing {
  sku: string
  title: string
  /** In the seller's currency. */
  price: number
  quantity: number
  isLive: boolean
}

/** What somebody bought there. */
export interface SimulatedOrder {
  id: string
  /** Place in the line of all changes of orders, from 1; a change gives an order a new one. */
  sequence: number
  /** Milliseconds since the Unix epoch. */
  placedAt: number
  buyer: { name: string; email: string; country: string }
  lines: { sku: string; quantity: number; unitPrice: number }[]
  status: 'new' | 'confirmed' | 'rejected'
  /** The seller's own number of a confirmed order, the seller's reason of a rejected one. */
  note: string | undefined
  /** When the seller has answered, in milliseconds since the Unix epoch. */
  settledAt: number | undefined
}

/** One thing that the marketplace does not do, and why; wires put it into their own words. */
export class SimulatedRefusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** A page of orders in the line of their changes. */
export interface SimulatedPage {
  orders: SimulatedOrder[]
  hasMore: boolean
}

/** Units of one product that can be offered at most. */
const MOST = 1_000_000

/** One marketplace: its listings and its orders, in memory, without a wire. */
export class SimulatedShop {
  readonly slug: string
  readonly #clock: Clock
  readonly #listings = new Map<string, SimulatedListing>()
  readonly #toldAt = new Map<string, number>()
  readonly #orders = new Map<string, SimulatedOrder>()
  readonly #onOrder: (order: SimulatedOrder) => void
  /** Begins the numbers of its orders: those of two runs are never the same. */
  readonly #run: string
  #sequence = 0

  /** @param onOrder hears of each order when it is placed */
  constructor(slug: string, clock: Clock, onOrder: (order: SimulatedOrder) => void) {
    this.slug = slug
    this.#clock = clock
    this.#onOrder = onOrder
    this.#run = `${slug.slice(0, 1)}${clock.now().toString(36)}`.toUpperCase()
  }

  get listings(): readonly SimulatedListing[] {
    return [...this.#listings.values()]
  }

  /** When the seller last said how much there is of each, in milliseconds since the Unix epoch. */
  get toldAt(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#toldAt)
  }

  get orders(): readonly SimulatedOrder[] {
    return [...this.#orders.values()]
  }

  list(given: Omit<SimulatedListing, 'isLive'>): void {
    if (given.title.trim() === '') throw new SimulatedRefusal(422, `a listing needs a title: ${given.sku}`)
    checkPrice(given.price)
    checkQuantity(given.quantity)
    this.#listings.set(given.sku, { ...given, isLive: true })
    this.#toldAt.set(given.sku, this.#clock.now())
  }

  end(sku: string): void {
    this.#listing(sku).isLive = false
  }

  setPrice(sku: string, price: number): void {
    checkPrice(price)
    this.#listing(sku).price = price
  }

  setQuantity(sku: string, quantity: number): void {
    checkQuantity(quantity)
    this.#listing(sku).quantity = quantity
    this.#toldAt.set(sku, this.#clock.now())
  }

  /** Somebody buys, at the prices shown. @throws SimulatedRefusal when there is not so much of it */
  place(buyer: SimulatedOrder['buyer'], wanted: readonly { sku: string; quantity: number }[]): SimulatedOrder {
    const lines = wanted.map(({ sku, quantity }) => {
      const listing = this.#listing(sku)
      if (!listing.isLive || listing.quantity < quantity) throw new SimulatedRefusal(409, `${sku} is sold out`)
      return { listing, sku, quantity, unitPrice: listing.price }
    })
    for (const { listing, quantity } of lines) listing.quantity -= quantity
    const sequence = ++this.#sequence
    const order: SimulatedOrder = {
      id: `${this.#run}-${String(sequence).padStart(6, '0')}`,
      sequence,
      placedAt: this.#clock.now(),
      buyer,
      lines: lines.map(({ sku, quantity, unitPrice }) => ({ sku, quantity, unitPrice })),
      status: 'new',
      note: undefined,
      settledAt: undefined,
    }
    this.#orders.set(order.id, order)
    this.#onOrder(order)
    return order
  }

  /** Orders whose latest change came after a place in the line. */
  changedAfter(sequence: number, limit: number): SimulatedPage {
    const later = this.orders.filter((order) => order.sequence > sequence).sort((a, b) => a.sequence - b.sequence)
    return { orders: later.slice(0, limit), hasMore: later.length > limit }
  }

  /** The seller's answer to an order. Said twice it is the same; one that was answered otherwise is not answered again. */
  settle(id: string, status: 'confirmed' | 'rejected', note: string): void {
    const order = this.#orders.get(id)
    if (!order) throw new SimulatedRefusal(404, `there is no order ${id}`)
    if (order.status === status) return
    if (order.status !== 'new') throw new SimulatedRefusal(409, `order ${id} is ${order.status} already`)
    Object.assign(order, { status, note, settledAt: this.#clock.now(), sequence: ++this.#sequence })
  }

  #listing(sku: string): SimulatedListing {
    const listing = this.#listings.get(sku)
    if (!listing) throw new SimulatedRefusal(404, `nothing is listed as ${sku}`)
    return listing
  }
}

function checkPrice(price: number): void {
  if (!(price > 0 && price < 1e9)) throw new SimulatedRefusal(422, `a price is a positive amount, got ${price}`)
}

function checkQuantity(quantity: number): void {
  if (!Number.isInteger(quantity) || quantity < 0 || quantity > MOST)
    throw new SimulatedRefusal(422, `a quantity is a whole number from 0 to ${MOST}, got ${quantity}`)
}
