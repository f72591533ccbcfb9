import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'

/** What each template is written with. */
export interface MailData {
  'order-confirmation': {
    id: number
    merchant: string
    currency: string
    name: string | null
    total: number
    lines: readonly { sku: string; title: string; quantity: number; amount: number }[]
  }
  notification: { merchant: string; title: string; text: string; link: string | null }
}

/** One of the templates. */
export type MailName = keyof MailData

/** A mail but for whom it goes to. */
export interface WrittenMail {
  subject: string
  text: string
  html: string
}

const views = fileURLToPath(new URL('./templates', import.meta.url))

/** What is between signs of HTML is escaped; texts have nothing to escape. */
const html = new Eta({ views, cache: true, defaultExtension: '.html.eta' })
const plain = new Eta({ views, cache: true, defaultExtension: '.txt.eta', autoEscape: false, autoTrim: false })

const subjects: { [Name in MailName]: (data: MailData[Name]) => string } = {
  'order-confirmation': ({ id, merchant }) => `Your order ${id} at ${merchant}`,
  notification: ({ title }) => title,
}

/** Writes a mail in both forms: a client shows the one it can. */
export function writeMail<Name extends MailName>(name: Name, data: MailData[Name]): WrittenMail {
  const given = { ...data, money: moneyOf }
  return {
    // A subject is one line, whatever a merchant or a product is called.
    subject: subjects[name](data).replaceAll(/\s+/g, ' '),
    text: plain.render(name, given),
    html: html.render(name, given),
  }
}

/** Writes a page of HTML that is no mail. */
export function writePage(name: string, data: object): string {
  return html.render(name, { ...data, money: moneyOf })
}

/** `12.50 GBP` */
function moneyOf(amount: number, currency: string): string {
  return `${amount.toFixed(2)} ${currency}`
}
