/** A category that the file's products are sorted into, and the words in a title that say so. */
export interface SoldCategory {
  slug: string
  name: string
  /** A regular expression of PostgreSQL for the beginnings of words, matched without regard to case; undefined for the two that are chosen otherwise. */
  words: string | undefined
}

/** Where products go whose title matches nothing. */
export const OTHER_CATEGORY = 'gift-shop-other'

/** Where codes go that stand for no goods. */
export const SERVICE_CATEGORY = 'gift-shop-services'

/**
 * The file names no categories, but its titles are telling: the first whose words stand in a product's title is taken. Occasions
 * come before materials, so that a paper Christmas chain is Christmas.
 */
export const SOLD_CATEGORIES: readonly SoldCategory[] = [
  category('Christmas', 'christmas|xmas|advent|reindeer|santa|snowflake|bauble'),
  category('Party and Cards', 'party|birthday|card|balloon|bunting|easter|wedding|invit'),
  category('Bags and Purses', 'bag|purse|shopper|wallet|suitcase|case'),
  category(
    'Kitchen and Dining',
    'mug|cup|tea|coffee|plate|bowl|cake|bak|kitchen|jam|jar|dinner|cutlery|spoon|apron|lunch|bottle|glass|egg|recipe|tray',
  ),
  category('Candles and Lights', 'candle|light|lamp|lantern|incense|t-light'),
  category(
    'Stationery and Craft',
    'paper|pen|pencil|notebook|stationery|sticker|ribbon|tissue|wrap|craft|sewing|knit|ruler|calculator',
  ),
  category('Toys and Games', 'toy|game|doll|puzzle|jigsaw|skittle|ball|children|baby|teddy|puppet|playhouse|dominoes'),
  category('Jewellery', 'necklace|bracelet|earring|ring|brooch|jewel|charm|bead|hair'),
  category(
    'Home and Decoration',
    'heart|frame|clock|cushion|sign|mirror|drawer|hook|wall|doormat|cabinet|holder|box|tin|basket|storage|rack|hanger|towel|soap|bath',
  ),
  category('Garden', 'garden|plant|flower|bird|watering|herb|seed|umbrella|parasol|picnic|feather'),
  { slug: OTHER_CATEGORY, name: 'Other', words: undefined },
  { slug: SERVICE_CATEGORY, name: 'Services', words: undefined },
]

function category(name: string, words: string): SoldCategory {
  return {
    slug: `gift-shop-${name.toLowerCase().replaceAll(' and ', '-').replaceAll(' ', '-')}`,
    name,
    words: `\\m(?:${words})`,
  }
}
