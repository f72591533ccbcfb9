import { type Jobs, type Kind, PermanentError, type RunningJob } from '@tailwater/jobs'
import type { Database } from '@tailwater/postgres'
import type { Product } from '../catalogue/product.ts'
import type { ProductStatements } from '../catalogue/product_statements.ts'
import type { Notice } from '../notifications/notify.ts'
import { ownerTag } from '../queues/ownership.ts'
import type { Assessment, JudgedProduct, QualityProvider } from './quality_provider.ts'
import type { QualityStatements } from './quality_statements.ts'

/** Which product. */
export interface QualityRequest {
  productId: number
}

/** What a check comes to. */
export interface QualityResult extends Assessment {
  productId: number
  /** The product's version that was judged. */
  version: number
  verdict: 'good' | 'fair' | 'poor'
  /** Who judged. */
  provider: string
}

/** What checks are made of. */
export interface QualityParts {
  database: Database
  products: ProductStatements
  statements: QualityStatements
  provider: QualityProvider
  notify: Kind<Notice>
}

/** Scores from which a product is good, or fair. */
const GOOD = 80
const FAIR = 50

/**
 * The job that has a product judged.
 *
 * While the provider is known to be away it is put off, which costs it no attempt. The same product is not judged twice at once: who asks again meanwhile follows the
 * job that is there.
 */
export function defineQualityCheck(jobs: Jobs, parts: QualityParts): Kind<QualityRequest> {
  return jobs.define<QualityRequest>({
    kind: 'quality-check',
    queue: 'quality-check',
    unique: { by: 'payload', for: 'until-done' },
    run: (job) => check(job, parts),
  })
}

async function check(job: RunningJob<QualityRequest>, parts: QualityParts) {
  const { provider } = parts
  const { wait } = provider
  if (wait > 0) return job.snooze(wait)
  job.progress({ percent: 10, step: 'reading the product' })
  const product = await readProduct(parts, job.payload.productId, job.signal)
  job.progress({ percent: 30, step: `asking ${provider.name}` })
  const assessment = await provider.assess(judged(product), { signal: job.signal })
  const result = resultOf(product, assessment, provider.name)
  const { merchantId } = product.product
  await parts.notify.enqueue(noticeOf(product.product, result, job.jobId), { tags: [ownerTag(merchantId)] })
  job.progress({ percent: 100, step: 'done' })
  return result
}

function noticeOf({ id, merchantId, title }: Product, { score, findings }: QualityResult, jobId: string): Notice {
  const first = findings[0] ? ` First: ${findings[0].message}` : ''
  return {
    merchantId,
    topic: 'quality-checked',
    key: `quality-checked:${jobId}`,
    title: `Product ${id} has ${Math.round(score)} of 100 points`,
    text: `${title}: ${findings.length} findings.${first}`,
    link: `/products/${id}`,
  }
}

interface ReadProduct {
  product: Product
  usualPrice: number | null
}

async function readProduct(parts: QualityParts, id: number, signal: AbortSignal): Promise<ReadProduct> {
  const { database, products, statements } = parts
  const found = await database.query<Product>(products.one, [id], { signal })
  const product = found.rows[0]
  if (!product) throw new PermanentError(`there is no product ${id} any more`)
  const usual = await database.query<{ price: number | null }>(statements.usualPrice, [product.categoryId], { signal })
  return { product, usualPrice: usual.rows[0]?.price ?? null }
}

/** What buyers see, and nothing else: it may leave the house. */
function judged({ product, usualPrice }: ReadProduct): JudgedProduct {
  const { id, sku, title, description, price, currency, category, status, available, images } = product
  return { id, sku, title, description, price, currency, category, status, available, images, usualPrice }
}

function resultOf({ product }: ReadProduct, { score, findings }: Assessment, provider: string): QualityResult {
  const verdict = score >= GOOD ? 'good' : score >= FAIR ? 'fair' : 'poor'
  return { productId: product.id, version: product.version, score, verdict, findings, provider }
}
