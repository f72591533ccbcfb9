import { problem, type Route, route } from '@tailwater/http'
import type { Kind } from '@tailwater/jobs'
import { Type } from 'typebox'
import { type Gate, ScopeQuery, scopeOf } from '../accounts/caller.ts'
import { IdParams } from '../api/field.ts'
import type { ProductCache } from '../caches/shop_caches.ts'
import { accepted, acceptedSchema } from '../queues/job_routes.ts'
import { ownerTag } from '../queues/ownership.ts'
import type { QualityRequest } from './quality_check.ts'

/** What asking for checks is made of. */
export interface QualityRouteParts {
  products: ProductCache
  qualityCheck: Kind<QualityRequest>
  gate: Gate
}

/** The route by which a merchant has a product judged. */
export function qualityRoutes({ products, qualityCheck, gate }: QualityRouteParts): Route[] {
  return [
    route({
      method: 'POST',
      path: '/products/:id/quality-check',
      id: 'checkQuality',
      summary: 'Have a product judged: title, description, price, images',
      description:
        'Answered at once; the job tells how far it is, and in the end a score with findings. A product that is being judged already is not judged twice: the answer names the job that is there.',
      tags: ['catalogue', 'jobs'],
      security: ['bearer'],
      use: [gate.required],
      schema: { params: IdParams, query: Type.Object({ ...ScopeQuery }), response: { 202: acceptedSchema } },
      async handler({ params, query, exchange }) {
        const product = await products.get(params.id)
        const scope = scopeOf(exchange, query.merchant)
        if (!product || (scope !== null && product.merchantId !== scope))
          throw problem(404, 'E_NOT_FOUND', `There is no product ${params.id}.`)
        const jobId = await qualityCheck.enqueue({ productId: product.id }, { tags: [ownerTag(product.merchantId)] })
        return accepted(jobId, exchange.path.slice(0, exchange.path.lastIndexOf('/products/')))
      },
    }),
  ]
}
