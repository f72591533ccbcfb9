import type { Service } from '@tailwater/core'
import { startAll, stopAll } from '@tailwater/core'
import type { Route } from '@tailwater/http'
import { fastifyDefaults } from '@tailwater/http/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import { createDiskFileStore, type ListenOptions, type ServedHttp, type Tailwater } from 'tailwater'
import { createShopCaches } from '../caches/shop_caches.ts'
import type { MarketplaceAccount } from '../marketplaces/sync/connection.ts'
import { createMerchant, type Merchant } from '../merchant.ts'
import { createHttpQualityProvider } from '../quality/http_provider.ts'
import { createFileSmsProvider } from '../sms/file_sms_provider.ts'
import { createHttpSmsProvider } from '../sms/http_sms_provider.ts'
import type { SmsProvider } from '../sms/sms_provider.ts'
import { limitRoutes } from './api_limit.ts'
import { indexRoute } from './index_route.ts'
import { MERCHANT_SCHEMA } from './merchant_schema.ts'

/** The merchant's server and what runs beside it. */
export interface Shop extends Service {
  /** Has marketplaces that know nothing told of so many listings each. */
  tellMarketplaces(limit: number): Promise<number>
  /** `http://localhost:3000`, once started. */
  readonly url: string
}

/** How the shop is opened. */
export interface ShopOptions extends ListenOptions {
  /** Requests a second of each caller; 0 for no limit. */
  apiRate: number
  /** `off` reads the database for every request. @default 'on' */
  cache?: 'on' | 'off'
  /** Sends short messages by an HTTP API. @default files in the outbox */
  sms?: { url: string; secret: string } | undefined
  /** A model that judges products. @default rules, in this process */
  quality?: { url: string; token?: string | undefined } | undefined
  /** Where else products are sold. @default nowhere */
  marketplaces?: readonly MarketplaceAccount[]
  /** With the merchant's tables. @default 'merchant' */
  schema?: string
}

/** Builds the merchant on a platform, and its server: before the platform's start or after it, but before the shop's own. */
export async function openShop(platform: Tailwater, options: ShopOptions): Promise<Shop> {
  const { database, keyring, clock, jobs, messaging, mailer, accounts } = platform
  const merchant = createMerchant({
    database,
    schema: options.schema ?? MERCHANT_SCHEMA,
    keyring,
    clock,
    jobs,
    messaging,
    ...(options.marketplaces && { marketplaces: options.marketplaces }),
    mailer,
    files: platform.files,
    sms: smsProviderOf(platform, options),
    ...(options.quality && { quality: createHttpQualityProvider({ ...options.quality, clock }) }),
    ...(options.cache === 'off' ? {} : { caches: createShopCaches(platform.cache) }),
    onWarming: ({ what, done, of }) => {
      if (done === of) platform.logger.info({ [what]: of }, 'cache warmed')
    },
    async verifyAdmin(token) {
      const holder = await accounts.verifyToken(token)
      return holder && { id: holder.userId }
    },
  })
  const app = await buildServer(platform, limitRoutes(merchant.routes, options.apiRate, clock))
  return shopOf(platform.serve(app.server, options), app, merchant)
}

/** Without a provider messages are files beside the mails that have no server. */
function smsProviderOf({ clock, config }: Tailwater, { sms }: ShopOptions): SmsProvider {
  return sms ? createHttpSmsProvider({ ...sms, clock }) : createFileSmsProvider(createDiskFileStore(config.dataDir))
}

async function buildServer(platform: Tailwater, routes: readonly Route[]): Promise<FastifyInstance> {
  const app = Fastify(fastifyDefaults())
  const api = routes.map((route) => ({ ...route, path: `/api${route.path}` }))
  await app.register(platform.fastify({ routes: [indexRoute(platform.config.dashboardPath), ...api] }))
  await app.ready()
  return app
}

function shopOf(served: ServedHttp, app: FastifyInstance, { services, tellMarketplaces }: Merchant): Shop {
  return {
    name: 'shop',
    tellMarketplaces,
    get url() {
      return served.url
    },
    start: () => startAll([...services, served]),
    async stop(deadline) {
      try {
        await stopAll([...services, served], deadline)
      } finally {
        await app.close()
      }
    },
  }
}
