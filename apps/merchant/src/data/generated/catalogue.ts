import { drawQuantile, drawWeighted, type Quantiles } from '../distribution.ts'
import type { Random } from '../random.ts'
import { PRICES } from '../shape.ts'
import { assignMerchant } from './merchants.ts'
import type { GeneratedCategory } from './taxonomy.ts'

/** A product of the generated data. Its id is its position plus one. */
export interface GeneratedProduct {
  /** Position of its merchant. */
  merchant: number
  categoryId: number
  sku: string
  title: string
  description: string
  /** Thousandths of a pound. */
  price: number
  status: 'draft' | 'active' | 'archived'
  /** Days before the first order. */
  age: number
  images: number
  onHand: number
  /** Positions of the marketplaces that list it. */
  listedOn: readonly number[]
}

const PATTERNS = (
  'Retrospot|Vintage Rose|Union Stripe|Daisy|Polka Dot|Woodland|Nordic Star|Gingham|Paisley|Sketchbook|Feather|' +
  'Harlequin|Tropical|Botanical|Seaside|Circus|Folk Art|Chevron|Meadow|Plain|Art Deco|Ditsy Floral|Hearts|' +
  'Constellation'
).split('|')
const MATERIALS = 'Ceramic|Wooden|Enamel|Cotton|Glass|Felt|Zinc|Wicker|Paper|Linen|Recycled|Hand-Painted'.split('|')
const COLOURS =
  'Red|Ivory|Blue|Sage|Mustard|Pink|Charcoal|Teal|Lilac|Natural|Black|Green|Duck Egg|Coral|Silver|Gold'.split('|')
const OPENINGS = [
  'A favourite of the season:',
  'Made in small batches:',
  'Designed in our studio:',
  'Back by popular demand:',
  'A gift that lasts:',
]
const CARE = [
  'Wipe clean with a damp cloth.',
  'Wash by hand.',
  'Keep out of direct sunlight.',
  'Arrives in a gift box.',
  'Packed without plastic.',
]

/** The catalogue's states; a shop of this kind keeps most of what it has on sale. */
const STATUSES = [
  ['active', 92],
  ['archived', 5],
  ['draft', 3],
] as const
const IMAGES = [
  [1, 4],
  [2, 3],
  [3, 2],
  [4, 1],
] as const
/** Pieces on hand; one product in twenty is sold out. */
const ON_HAND: Quantiles = [
  [0, 0],
  [0.05, 0],
  [0.5, 60],
  [0.9, 400],
  [1, 2_000],
]
/** Share of the active products that a marketplace lists. */
const LISTED_SHARE = 0.15
/** Products are created in the year before the first order. */
const CREATION_DAYS = 365

const drawPrice = drawQuantile(PRICES)
const drawStatus = drawWeighted(STATUSES)
const drawImages = drawWeighted(IMAGES)
const drawOnHand = drawQuantile(ON_HAND)

/** Makes `count` products, spread over the leaves of the tree and over the merchants. */
export function generateProducts(
  random: Random,
  count: number,
  categories: readonly GeneratedCategory[],
  marketplaces: number,
): GeneratedProduct[] {
  const leaves = categories.filter((category) => category.noun !== undefined)
  // Some categories are four times as full as others, as in any shop.
  const drawLeaf = drawWeighted(leaves.map((leaf) => [leaf, 0.5 + 1.5 * random.next()] as const))
  return Array.from({ length: count }, (_, at) => generateProduct(random, at, drawLeaf(random), marketplaces))
}

function generateProduct(random: Random, at: number, leaf: GeneratedCategory, marketplaces: number): GeneratedProduct {
  const title = `${random.pick(PATTERNS)} ${random.pick(MATERIALS)} ${leaf.noun}, ${random.pick(COLOURS)}`
  const status = drawStatus(random)
  const listed = Array.from({ length: marketplaces }, (_, place) => place).filter(() => random.next() < LISTED_SHARE)
  return {
    merchant: assignMerchant(random, at),
    categoryId: leaf.id,
    sku: skuOf(random, at),
    title,
    description: `${random.pick(OPENINGS)} our ${title.toLowerCase()}. ${random.pick(CARE)}`,
    price: roundPrice(drawPrice(random)),
    status,
    age: random.integer(CREATION_DAYS),
    images: drawImages(random),
    onHand: Math.round(drawOnHand(random)),
    listedOn: status === 'active' ? listed : [],
  }
}

/** Five digits and often a letter, as in the real file; unique, because the digits are the position. */
function skuOf(random: Random, at: number): string {
  const digits = String(10_000 + at)
  return random.next() < 0.4 ? digits + 'ABCDEF'[random.integer(6)]! : digits
}

/** To five pence, as prices are written; in thousandths. */
function roundPrice(pounds: number): number {
  return Math.max(1, Math.round(pounds * 20)) * 50
}
