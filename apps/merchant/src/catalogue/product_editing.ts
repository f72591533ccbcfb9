import { problem } from '@tailwater/http'
import type { Database, Transaction } from '@tailwater/postgres'
import type { Scope } from '../accounts/caller.ts'
import type { ProductPlace, ShopChanges } from '../caches/shop_changes.ts'
import { type ConstraintProblems, explainConstraints, referenceProblem, takenProblem } from '../database/constraint.ts'
import { type ShopEvents, stockChanged } from '../events/shop_events.ts'
import type { NewProduct, ProductPatch } from './product.ts'
import type { ProductStatements } from './product_statements.ts'

/** What editing is made of. */
export interface EditingParts {
  database: Database
  statements: ProductStatements
  changes: ShopChanges
  events: ShopEvents
}

/** Which product is to be changed, and by whom. */
export interface EditTarget {
  id: number
  scope: Scope
  /** The version that the change was made from; undefined when it does not matter. */
  version: number | undefined
}

/**
 * Adds a product with its stock and images.
 * @throws E_REFERENCE, E_SKU_TAKEN
 */
export async function createProduct(parts: EditingParts, merchantId: number, product: NewProduct): Promise<number> {
  const { database, statements, changes, events } = parts
  return explainConstraints(
    () =>
      database.transaction(async (tx) => {
        const { rows } = await tx.query<{ id: number }>(statements.insert, [
          merchantId,
          product.categoryId,
          product.sku,
          product.title,
          product.description ?? '',
          product.price,
          product.status ?? 'active',
          product.onHand ?? 0,
        ])
        const { id } = rows[0]!
        await replaceImages(tx, statements, id, product.images ?? [])
        await changes.catalogue(tx, id, await placesOf(tx, statements, id))
        await events.publish(tx, [{ topic: 'product.updated', body: { productId: id, merchantId } }])
        return id
      }),
    PROBLEMS,
  )
}

/**
 * Changes a product.
 * @throws E_NOT_FOUND, E_PRECONDITION_FAILED, E_REFERENCE, E_SKU_TAKEN, E_STOCK_RESERVED
 */
export async function changeProduct(parts: EditingParts, target: EditTarget, patch: ProductPatch): Promise<void> {
  const { database, statements } = parts
  await explainConstraints(
    () =>
      database.transaction(async (tx) => {
        const { merchantId } = await lockProduct(tx, statements, target)
        const before = isSeenFromAfar(patch) ? await placesOf(tx, statements, target.id) : undefined
        await tx.query(statements.update, [
          target.id,
          patch.sku ?? null,
          patch.title ?? null,
          patch.description ?? null,
          patch.price ?? null,
          patch.categoryId ?? null,
          patch.status ?? null,
        ])
        if (patch.onHand !== undefined) await tx.query(statements.setOnHand, [target.id, patch.onHand])
        if (patch.images) await replaceImages(tx, statements, target.id, patch.images)
        await tellOfChange(tx, parts, { id: target.id, merchantId, before, patch })
      }),
    PROBLEMS,
  )
}

interface Change {
  id: number
  merchantId: number
  /** Undefined when the change is not seen from afar. */
  before: ProductPlace[] | undefined
  patch: ProductPatch
}

async function tellOfChange(tx: Transaction, parts: EditingParts, { id, merchantId, before, patch }: Change) {
  const { statements, changes, events } = parts
  if (before) {
    const after = patch.categoryId === undefined ? [] : await placesOf(tx, statements, id)
    await changes.catalogue(tx, id, [...before, ...after])
  } else await changes.product(tx, id)
  const stock = patch.onHand === undefined ? [] : stockChanged(merchantId, [id])
  await events.publish(tx, [{ topic: 'product.updated', body: { productId: id, merchantId } }, ...stock])
}

/**
 * Removes a product: archived when it was ever ordered or listed, because orders and marketplaces point at it, deleted otherwise.
 * @throws E_NOT_FOUND, E_PRECONDITION_FAILED
 */
export async function removeProduct(
  { database, statements, changes, events }: EditingParts,
  target: EditTarget,
): Promise<void> {
  await database.transaction(async (tx) => {
    const { merchantId } = await lockProduct(tx, statements, target)
    await changes.catalogue(tx, target.id, await placesOf(tx, statements, target.id))
    const { rows } = await tx.query<{ isPointedAt: boolean }>(statements.isPointedAt, [target.id])
    await tx.query(rows[0]!.isPointedAt ? statements.archive : statements.delete, [target.id])
    await events.publish(tx, [{ topic: 'product.updated', body: { productId: target.id, merchantId } }])
  })
}

/** Whether a change can put a product into a list, out of it, or elsewhere in it, or concerns what figures name it by: not its pieces, nor its images. */
function isSeenFromAfar({ sku, title, description, price, categoryId, status }: ProductPatch): boolean {
  return (sku ?? title ?? description ?? price ?? categoryId ?? status) !== undefined
}

async function placesOf(tx: Transaction, statements: ProductStatements, id: number): Promise<ProductPlace[]> {
  return (await tx.query<ProductPlace>(statements.places, [id])).rows
}

/** Locks the stock before the product, in the order in which a checkout comes to them. */
async function lockProduct(tx: Transaction, statements: ProductStatements, { id, scope, version }: EditTarget) {
  await tx.query(statements.lockStock, [id])
  const { rows } = await tx.query<{ version: number; merchantId: number }>(statements.lock, [id, scope])
  if (!rows[0]) throw problem(404, 'E_NOT_FOUND', `There is no product ${id}.`)
  if (version !== undefined && rows[0].version !== version)
    throw problem(412, 'E_PRECONDITION_FAILED', `The product has changed since: it is at version ${rows[0].version}.`)
  return rows[0]
}

async function replaceImages(
  tx: Transaction,
  statements: ProductStatements,
  id: number,
  images: NonNullable<NewProduct['images']>,
): Promise<void> {
  await tx.query(statements.deleteImages, [id])
  if (images.length === 0) return
  await tx.query(statements.insertImages, [id, images.map(({ url }) => url), images.map(({ alt }) => alt ?? '')])
}

const PROBLEMS: ConstraintProblems = {
  products_merchant_id_sku_key: () =>
    takenProblem('E_SKU_TAKEN', 'sku', 'Another product of the merchant has this sku.'),
  products_category_id_fkey: () => referenceProblem('categoryId', 'There is no such category.'),
  stock_check: () =>
    problem(409, 'E_STOCK_RESERVED', 'More pieces than that are reserved for orders.', {
      errors: [{ path: '/body/onHand', message: 'is less than what is reserved', code: 'minimum' }],
    }),
}
