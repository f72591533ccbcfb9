import { type Draw, drawWeighted } from '../distribution.ts'
import type { Random } from '../random.ts'
import { slugOf } from './taxonomy.ts'

/** A merchant of the generated data. */
export interface GeneratedMerchant {
  id: number
  slug: string
  name: string
}

const NAMES = [
  'Harbour & Hearth',
  'Juniper Lane',
  'The Tin Lantern',
  'Marlow Gifts',
  'Patchwork Fox',
  'Copper Kettle Supplies',
  'Wren & Willow',
  'Saltmarsh Trading',
  'Two Magpies',
  'Orchard Row',
]

/** The generated merchants, the largest first. */
export function generateMerchants(): GeneratedMerchant[] {
  return NAMES.map((name, at) => ({ id: at + 1, slug: slugOf(name), name }))
}

/** Draws a merchant's position: the first has about a quarter of everything, the last a twentieth. */
export const drawMerchant: Draw<number> = drawWeighted(NAMES.map((_, at) => [at, 1 / (at + 2)] as const))

/** The merchant of the thing at position `at`: the first things go round, so that even the smallest data leaves none without. */
export function assignMerchant(random: Random, at: number): number {
  return at < NAMES.length ? at : drawMerchant(random)
}

/** Where the generated merchants list products besides their own shop. */
export const MARKETPLACES = ['Bazaar Street', 'Market Square', 'Shopfront', 'Craft Corner'].map((name, at) => ({
  id: at + 1,
  slug: slugOf(name),
  name,
}))
