import { problem, versionTag } from '@tailwater/http'
import type { Product } from './product.ts'

/**
 * The entity tag of a product: its version, by which changes are guarded, and what is available, which changes with
 * every order and must not be hidden by a 304.
 */
export function tagOf({ version, available }: Pick<Product, 'version' | 'available'>): string {
  return versionTag(`${version}-${available}`)
}

/** A tag as `tagOf` makes it, or with the version alone. */
const TAG = /^"v(\d{1,9})(?:-\d+)?"$/

/**
 * The version that an `If-Match` header asks for; undefined when any will do.
 * @throws E_PRECONDITION_FAILED when it names none
 */
export function expectedVersion(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  const version = TAG.exec(ifMatch.trim())?.[1]
  if (version === undefined)
    throw problem(412, 'E_PRECONDITION_FAILED', 'If-Match holds no version of this product. Send the ETag of a read.')
  return Number(version)
}
