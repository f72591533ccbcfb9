import type { Finding, JudgedProduct } from './quality_provider.ts'

/** Looks at one product for one thing; undefined when there is nothing to find. */
export type Rule = (product: JudgedProduct) => Finding | undefined

/** Letters of a title at least, and at most before lists cut it off. */
const TITLE = { least: 10, most: 120 }
/** Words of a description that tell a buyer something. */
const DESCRIPTION_WORDS = 15
/** How many times dearer, or cheaper, than usual makes a slip of the keyboard likely. */
const FAR_OFF = 10
/** Share of capitals among letters from which a title shouts. */
const SHOUTING = 0.7

const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

function finding(field: string, code: string, severity: Finding['severity'], message: string): Finding {
  return { field, code, severity, message }
}

const titleRules: readonly Rule[] = [
  ({ title }) =>
    title.trim().length < TITLE.least
      ? finding('title', 'title-short', 'warning', `The title has fewer than ${TITLE.least} letters.`)
      : undefined,
  ({ title }) =>
    title.length > TITLE.most
      ? finding('title', 'title-long', 'hint', `Lists cut titles off after ${TITLE.most} letters.`)
      : undefined,
  ({ title, sku }) =>
    wordsOf(title).join('') === wordsOf(sku).join('')
      ? finding('title', 'title-is-sku', 'error', 'The title is the article number and names nothing.')
      : undefined,
  ({ title }) => {
    const letters = title.match(/\p{L}/gu) ?? []
    const capitals = title.match(/\p{Lu}/gu) ?? []
    return letters.length >= TITLE.least && capitals.length / letters.length > SHOUTING
      ? finding('title', 'title-shouts', 'warning', 'The title is written in capitals.')
      : undefined
  },
  ({ title }) =>
    /[!?*]{2,}|[★✓►]|\b(cheap|bargain|best price|free shipping)\b/i.test(title)
      ? finding('title', 'title-advertises', 'warning', 'The title advertises where it should name the product.')
      : undefined,
  ({ title }) => {
    const words = wordsOf(title).filter((word) => word.length > 3)
    const repeated = words.find((word, at) => words.indexOf(word) !== at)
    return repeated
      ? finding('title', 'title-repeats', 'hint', `The title says '${repeated}' more than once.`)
      : undefined
  },
]

const descriptionRules: readonly Rule[] = [
  ({ description }) =>
    description.trim() === ''
      ? finding('description', 'description-missing', 'error', 'There is no description.')
      : undefined,
  ({ description }) => {
    const { length } = wordsOf(description)
    return length > 0 && length < DESCRIPTION_WORDS
      ? finding(
          'description',
          'description-short',
          'warning',
          `The description has ${length} words; ${DESCRIPTION_WORDS} tell more.`,
        )
      : undefined
  },
  ({ description, title }) => {
    const words = new Set(wordsOf(title))
    const said = wordsOf(description)
    return said.length > 0 && said.every((word) => words.has(word))
      ? finding('description', 'description-is-title', 'warning', 'The description says no more than the title.')
      : undefined
  },
  ({ description }) =>
    /<[a-z][^>]*>|&[a-z]+;/i.test(description)
      ? finding(
          'description',
          'description-markup',
          'warning',
          'The description contains markup, which buyers see as it is.',
        )
      : undefined,
  ({ description }) =>
    /https?:\/\/|www\.|[^\s@]+@[^\s@]+\.[a-z]{2,}|\+?\d[\d ()-]{8,}\d/i.test(description)
      ? finding(
          'description',
          'description-contact',
          'error',
          'The description leads buyers elsewhere; marketplaces refuse that.',
        )
      : undefined,
  ({ description }) =>
    /lorem ipsum|\bto be (done|defined)\b|\bplaceholder\b|^test$/i.test(description.trim())
      ? finding('description', 'description-placeholder', 'error', 'The description was never written.')
      : undefined,
]

const priceRules: readonly Rule[] = [
  ({ price }) => (price === 0 ? finding('price', 'price-zero', 'error', 'It costs nothing.') : undefined),
  ({ price, usualPrice, category, currency }) => {
    if (usualPrice === null || usualPrice === 0 || price === 0) return undefined
    const isDear = price > FAR_OFF * usualPrice
    if (!isDear && price * FAR_OFF >= usualPrice) return undefined
    const usual = `${usualPrice.toFixed(2)} ${currency}`
    return finding(
      'price',
      isDear ? 'price-high' : 'price-low',
      'warning',
      `Products of '${category}' usually cost ${usual}.`,
    )
  },
  ({ price }) =>
    Math.abs(price * 100 - Math.round(price * 100)) > 1e-6
      ? finding('price', 'price-fraction', 'hint', 'The price has fractions of a penny.')
      : undefined,
]

const attributeRules: readonly Rule[] = [
  ({ images }) =>
    images.length === 0 ? finding('images', 'images-missing', 'error', 'There is no image.') : undefined,
  ({ images }) =>
    images.length === 1
      ? finding('images', 'images-few', 'hint', 'A second image shows what the first cannot.')
      : undefined,
  ({ images }) => {
    const bare = images.filter(({ alt }) => alt.trim() === '').length
    return bare > 0
      ? finding('images', 'images-undescribed', 'warning', `${bare} images have no text for those who cannot see them.`)
      : undefined
  },
  ({ images }) =>
    new Set(images.map(({ url }) => url)).size < images.length
      ? finding('images', 'images-repeated', 'hint', 'The same image is there twice.')
      : undefined,
  ({ images }) =>
    images.some(({ url }) => url.startsWith('http://'))
      ? finding('images', 'images-insecure', 'warning', 'An image is not served by https, and browsers leave it out.')
      : undefined,
  ({ sku }) =>
    /\s/.test(sku.trim())
      ? finding('sku', 'sku-spaces', 'hint', 'The article number has spaces, which get lost in files.')
      : undefined,
  ({ status, available }) =>
    status === 'active' && available === 0
      ? finding('onHand', 'sold-out', 'hint', 'It is on sale, and none is left.')
      : undefined,
]

/** Every rule, by what it looks at. */
export const rules: readonly Rule[] = [...titleRules, ...descriptionRules, ...priceRules, ...attributeRules]
