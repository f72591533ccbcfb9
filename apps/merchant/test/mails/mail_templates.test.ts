import assert from 'node:assert/strict'
import { it } from 'node:test'
import { writeMail } from '../../src/mails/mail_templates.ts'

const order = {
  id: 7,
  merchant: 'Northern Gifts',
  currency: 'GBP',
  name: 'Ada',
  total: 25.1,
  lines: [
    { sku: 'HEART', title: 'A <white> heart', quantity: 2, amount: 5.1 },
    { sku: 'LAMP', title: 'A lamp', quantity: 1, amount: 20 },
  ],
}

it('a confirmation as text reads like a letter', () => {
  assert.equal(
    writeMail('order-confirmation', order).text,
    `Dear Ada,

thank you for your order 7 of 25.10 GBP.

2 x A <white> heart: 5.10 GBP
1 x A lamp: 20.00 GBP

Northern Gifts
`,
  )
})

it('a customer without a name is greeted all the same', () => {
  assert.match(writeMail('order-confirmation', { ...order, name: null }).text, /^Dear customer,/)
})

it('a notification with and without something to look at reads well', () => {
  const notification = { merchant: 'Northern Gifts', title: 'Order 7 was placed', text: '3 pieces.' }
  const [bare, linked] = [null, '/orders/7'].map((link) => writeMail('notification', { ...notification, link }).text)
  assert.equal(bare, 'Order 7 was placed\n\n3 pieces.\n\nNorthern Gifts\n')
  assert.equal(linked, 'Order 7 was placed\n\n3 pieces.\n\n/orders/7\n\nNorthern Gifts\n')
})

it('what people write is no markup, in no place of the page', () => {
  const evil = '<img src=x onerror="alert(1)">'
  const lines = [{ sku: evil, title: evil, quantity: 1, amount: 1 }]
  const pages = [
    writeMail('order-confirmation', { ...order, merchant: evil, name: evil, currency: evil, lines }),
    writeMail('notification', { merchant: evil, title: evil, text: evil, link: evil }),
  ]
  for (const { html } of pages) assert.equal(html.includes('<img'), false, html)
})

it('a subject is one line, whatever a merchant is called', () => {
  const { subject } = writeMail('order-confirmation', { ...order, merchant: 'Northern\r\nBcc: everybody@example.com' })
  assert.equal(subject, 'Your order 7 at Northern Bcc: everybody@example.com')
})
