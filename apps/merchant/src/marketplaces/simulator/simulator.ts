import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Clock, createService, type Service } from '@tailwater/core'
import { createRandom, type Random } from '../../data/random.ts'
import { bazaarOrder, createBazaarWire } from './bazaar_wire.ts'
import { answerControl, type ControlledStall } from './control.ts'
import { createHarbourWire, harbourOrder } from './harbour_wire.ts'
import { type Mischief, meetFate, ORDINARY, RequestBucket } from './mischief.ts'
import { keepShopping } from './shopper.ts'
import { type SimulatedOrder, SimulatedShop } from './simulated_shop.ts'
import { callWebhook } from './webhook.ts'
import type { Wire, WireAnswer, WireRequest } from './wire.ts'

/** One marketplace that is simulated. */
export interface SimulatedMarketplace {
  slug: string
  /** The language that it speaks. */
  wire: 'bazaar' | 'harbour'
  /** Of the seller's key, and of the webhook. */
  secret: string
  /** Told of each order; without one the seller must ask. */
  webhookUrl?: string | undefined
}

/** How the simulation runs. */
export interface SimulatorOptions {
  marketplaces: readonly SimulatedMarketplace[]
  clock: Clock
  /** On the loopback address; 0 for any that is free. */
  port: number
  /** Seed of all chance. */
  seed: string
  mischief?: Partial<Mischief>
}

/** Marketplaces for development and tests: real HTTP, with delays, errors, limits and buyers of their own. */
export interface Simulator extends Service {
  /** `http://127.0.0.1:…`; a marketplace is under its slug, and what steers them all under `/control`. */
  readonly url: string
}

/** Bytes of a request at most. */
const MOST_BYTES = 1_048_576

interface Stall extends ControlledStall {
  wire: Wire
}

/** Builds the simulation; it keeps its listings and orders in memory. */
export function createSimulator({ marketplaces, clock, port, seed, mischief: said }: SimulatorOptions): Simulator {
  const random = createRandom(seed)
  const mischief: Mischief = { ...ORDINARY, ...said }
  const stalls = new Map(marketplaces.map((one) => [one.slug, openStall(one, clock, mischief)]))
  const shops = [...stalls.values()].map(({ shop }) => shop)
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  let stopShopping = () => {}
  let url = ''

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search, searchParams } = new URL(request.url ?? '/', 'http://simulator')
    const [, slug = '', ...rest] = pathname.split('/')
    const path = `/${rest.join('/')}`
    const wired: WireRequest = {
      method: request.method ?? 'GET',
      path,
      query: searchParams,
      target: path + search,
      headers: request.headers,
      body: await readBody(request),
    }
    if (slug === 'control') return send(response, answerControl(wired, stalls, mischief))
    const stall = stalls.get(slug)
    if (!stall) return send(response, { status: 404, body: { error: `there is no marketplace ${slug}` } })
    await answerAsFated(stall, wired, response)
  }

  async function answerAsFated({ wire }: Stall, request: WireRequest, response: ServerResponse): Promise<void> {
    const fate = await meetFate(mischief, clock, random)
    if (fate === 'cut') response.destroy()
    else if (fate === 'unavailable') send(response, { status: 503, body: { error: 'out of order' } })
    else send(response, wire(request))
  }

  return {
    ...createService('marketplace-simulator', {
      async start() {
        server.listen(port, '127.0.0.1')
        await once(server, 'listening')
        url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        stopShopping = keepShopping({ shops, mischief, clock, random: buyers(random) })
      },
      async stop() {
        stopShopping()
        const closed = once(server, 'close')
        server.close()
        server.closeAllConnections()
        await closed
      },
    }),
    get url() {
      return url
    },
  }
}

const buyers = (random: Random) => random.fork('buyers')

function openStall({ slug, wire, secret, webhookUrl }: SimulatedMarketplace, clock: Clock, mischief: Mischief): Stall {
  const inItsWords = wire === 'bazaar' ? bazaarOrder : harbourOrder
  const tell = (order: SimulatedOrder) => {
    const { webhookUrl: url } = stall
    if (url) void callWebhook({ url, secret }, inItsWords(order), clock)
  }
  const shop = new SimulatedShop(slug, clock, tell)
  const bucket = new RequestBucket(clock)
  const parts = { shop, secret, now: () => clock.now(), limit: () => bucket.take(mischief.rateLimit) }
  const stall: Stall = {
    shop,
    webhookUrl,
    wire: wire === 'bazaar' ? createBazaarWire(parts) : createHarbourWire(parts),
  }
  return stall
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MOST_BYTES) throw new Error('the body is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function send(response: ServerResponse, { status, headers, body }: WireAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
