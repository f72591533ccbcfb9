/** A category of the generated tree. Ids ascend from 1 in the order of the tree, so that a parent comes before its children. */
export interface GeneratedCategory {
  id: number
  parentId: number | null
  slug: string
  name: string
  /** Ids from the root to this category, itself included. */
  path: readonly number[]
  /** What a product of a leaf is called; undefined above the leaves. */
  noun: string | undefined
}

/** Departments, their groups, and what each group sells: 6 x 4 x 5, 120 leaves. */
const TREE: Record<string, Record<string, readonly string[]>> = {
  Home: {
    Kitchen: ['Mug', 'Teapot', 'Mixing Bowl', 'Cake Tin', 'Storage Jar'],
    Dining: ['Dinner Plate', 'Napkin Ring', 'Table Runner', 'Serving Tray', 'Wine Glass'],
    'Living Room': ['Cushion', 'Throw', 'Photo Frame', 'Wall Clock', 'Vase'],
    Bathroom: ['Towel', 'Soap Dish', 'Bath Mat', 'Shower Curtain', 'Laundry Basket'],
  },
  Garden: {
    Planting: ['Flower Pot', 'Watering Can', 'Seed Packet', 'Plant Marker', 'Garden Trowel'],
    'Outdoor Living': ['Lantern', 'Picnic Basket', 'Garden Chair', 'Parasol', 'Hammock'],
    Wildlife: ['Bird Feeder', 'Bird House', 'Bee Hotel', 'Bird Bath', 'Squirrel Feeder'],
    Lighting: ['Candle', 'Candle Holder', 'Fairy Light', 'Table Lamp', 'Night Light'],
  },
  Gifts: {
    Christmas: ['Bauble', 'Stocking', 'Wreath', 'Advent Calendar', 'Tree Topper'],
    Party: ['Bunting', 'Party Hat', 'Balloon', 'Cake Stand', 'Paper Plate'],
    Wrapping: ['Gift Bag', 'Gift Box', 'Ribbon', 'Gift Tag', 'Wrapping Sheet'],
    Keepsakes: ['Trinket Box', 'Snow Globe', 'Music Box', 'Fridge Magnet', 'Key Ring'],
  },
  Stationery: {
    Writing: ['Pen', 'Pencil Case', 'Notebook', 'Letter Set', 'Diary'],
    Cards: ['Birthday Card', 'Thank You Card', 'Postcard', 'Invitation', 'Place Card'],
    Craft: ['Sewing Kit', 'Knitting Needle', 'Paint Brush', 'Stencil', 'Sticker Sheet'],
    Office: ['Desk Tidy', 'Bookend', 'Clipboard', 'Document Box', 'Calendar'],
  },
  Children: {
    Toys: ['Wooden Train', 'Spinning Top', 'Skittle Set', 'Kite', 'Yo-yo'],
    'Soft Toys': ['Teddy Bear', 'Rag Doll', 'Hand Puppet', 'Comforter', 'Rattle'],
    Games: ['Jigsaw Puzzle', 'Card Game', 'Board Game', 'Domino Set', 'Marble Set'],
    School: ['Lunch Box', 'Drinks Bottle', 'Rucksack', 'Ruler', 'Chalk Board'],
  },
  Accessories: {
    Bags: ['Shopper', 'Tote Bag', 'Wash Bag', 'Purse', 'Travel Wallet'],
    Jewellery: ['Necklace', 'Bracelet', 'Brooch', 'Earring Set', 'Ring Dish'],
    Clothing: ['Scarf', 'Apron', 'Umbrella', 'Slipper Pair', 'Hat'],
    Scents: ['Scented Sachet', 'Reed Diffuser', 'Room Spray', 'Incense Pack', 'Wax Melt'],
  },
}

/** The category tree, three levels deep; the same for every size and seed. */
export function generateCategories(): GeneratedCategory[] {
  const categories: GeneratedCategory[] = []
  const add = (parent: GeneratedCategory | undefined, name: string, noun: string | undefined): GeneratedCategory => {
    const id = categories.length + 1
    const slug = parent ? `${parent.slug}-${slugOf(name)}` : slugOf(name)
    const path = [...(parent?.path ?? []), id]
    categories.push({ id, parentId: parent?.id ?? null, slug, name, path, noun })
    return categories.at(-1)!
  }
  for (const [department, groups] of Object.entries(TREE)) {
    const top = add(undefined, department, undefined)
    for (const [group, nouns] of Object.entries(groups)) {
      const middle = add(top, group, undefined)
      for (const noun of nouns) add(middle, plural(noun), noun)
    }
  }
  return categories
}

/** Lower case, words joined by hyphens. */
export function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

function plural(noun: string): string {
  if (/(s|x|ch|sh)$/.test(noun)) return `${noun}es`
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`
}
