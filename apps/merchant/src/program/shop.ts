import type { Service } from '@tailwater/core'
import { startAll, stopAll } from '@tailwater/core'
import type { Route } from '@tailwater/http'
import { fastifyDefaults } from '@tailwater/http/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import type { ListenOptions, ServedHttp, Tailwater } from 'tailwater'
import { createMerchant } from '../merchant.ts'
import { limitRoutes } from './api_limit.ts'
import { cachedProducts } from './cached_products.ts'
import { indexRoute } from './index_route.ts'
import { MERCHANT_SCHEMA } from './merchant_schema.ts'

/** The merchant's server and what runs beside it. */
export interface Shop extends Service {
  /** `http://localhost:3000`, once started. */
  readonly url: string
}

/** Builds the merchant on a started platform, and its server. */
export async function openShop(platform: Tailwater, options: ListenOptions & { apiRate: number }): Promise<Shop> {
  const { database, keyring, clock, jobs, mailer, accounts } = platform
  const merchant = createMerchant({
    database,
    schema: MERCHANT_SCHEMA,
    keyring,
    clock,
    jobs,
    mailer,
    products: cachedProducts(platform.cache),
    async verifyAdmin(token) {
      const holder = await accounts.verifyToken(token)
      return holder && { id: holder.userId }
    },
  })
  const app = await buildServer(platform, limitRoutes(merchant.routes, options.apiRate, clock))
  return shopOf(platform.serve(app.server, options), app, merchant.services)
}

async function buildServer(platform: Tailwater, routes: readonly Route[]): Promise<FastifyInstance> {
  const app = Fastify(fastifyDefaults())
  const api = routes.map((route) => ({ ...route, path: `/api${route.path}` }))
  await app.register(platform.fastify({ routes: [indexRoute(platform.config.dashboardPath), ...api] }))
  await app.ready()
  return app
}

function shopOf(served: ServedHttp, app: FastifyInstance, services: readonly Service[]): Shop {
  return {
    name: 'shop',
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
