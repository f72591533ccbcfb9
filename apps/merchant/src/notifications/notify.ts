import type { Mailer } from '@tailwater/core'
import { type Jobs, type Kind, PermanentError } from '@tailwater/jobs'
import type { Database, Transaction } from '@tailwater/postgres'
import { writeMail } from '../mails/mail_templates.ts'
import { ownerTag } from '../queues/ownership.ts'
import type { SmsProvider } from '../sms/sms_provider.ts'
import { noPreferences, type Preferences, type Topic } from './notification.ts'
import type { NotificationStatements } from './notification_statements.ts'

/** What a merchant is to be told. No addresses: those are read when it is sent. */
export interface Notice {
  merchantId: number
  topic: Topic
  /** Of what it tells, so that telling it again changes nothing: `order-placed:7`. */
  key: string
  title: string
  text: string
  /** Path below the API. */
  link?: string
}

/** What notifying is made of. */
export interface NotifyParts {
  database: Database
  statements: NotificationStatements
  mailer: Mailer
  sms: SmsProvider
}

interface ToSend {
  id: number
  topic: Topic
  title: string
  text: string
  link: string | null
  merchant: string
  email: string | null
  phone: string | null
}

/** Characters of a short message: three parts of one, as phones put them together. */
const SMS_LENGTH = 459

/**
 * The jobs that tell merchants of things: one puts it into the inbox, and with it, in one transaction, the e-mail's and the short message's jobs where the merchant
 * has asked for them.
 */
export function defineNotify(jobs: Jobs, parts: NotifyParts): Kind<Notice> {
  const { database } = parts
  const send = { email: defineEmail(jobs, parts), sms: defineSms(jobs, parts) }
  return jobs.define<Notice>({
    kind: 'notify',
    queue: 'notifications',
    key: ({ merchantId }) => ownerTag(merchantId),
    run: ({ payload, signal }) =>
      database.transaction((tx) => putIntoInbox(tx, parts.statements, payload, send), { signal }),
  })
}

type Senders = Record<'email' | 'sms', Kind<{ notificationId: number }>>

async function putIntoInbox(tx: Transaction, statements: NotificationStatements, notice: Notice, send: Senders) {
  const { merchantId, key, topic, title, text, link } = notice
  const values = [merchantId, key, topic, title, text, link ?? null]
  const { rows } = await tx.query<{ id: number }>(statements.insert, values)
  if (!rows[0]) return { notified: false }
  const notificationId = rows[0].id
  const found = await tx.query<Preferences>(statements.preferences, [merchantId])
  const { email, phone, byEmail, bySms } = found.rows[0] ?? noPreferences
  const options = { tx, tags: [ownerTag(merchantId)] }
  const by = ['inbox']
  if (email && byEmail.includes(topic)) by.push(await sentBy('email', send.email.enqueue({ notificationId }, options)))
  if (phone && bySms.includes(topic)) by.push(await sentBy('sms', send.sms.enqueue({ notificationId }, options)))
  return { notified: true, notificationId, by }
}

async function sentBy(way: string, enqueueing: Promise<unknown>): Promise<string> {
  await enqueueing
  return way
}

function defineEmail(jobs: Jobs, { database, statements, mailer }: NotifyParts): Kind<{ notificationId: number }> {
  return jobs.define<{ notificationId: number }>({
    kind: 'notification-email',
    queue: 'email',
    async run({ payload: { notificationId }, signal }) {
      const notification = await readNotification(database, statements, notificationId)
      // Taken back since: then it is not wanted.
      if (!notification.email) return { sent: false }
      const { subject, text, html } = writeMail('notification', notification)
      const messageId = `notification-${notificationId}@merchant.tailwater`
      await mailer.send({ to: notification.email, subject, text, html, messageId }, { signal })
      return { sent: true }
    },
  })
}

function defineSms(jobs: Jobs, { database, statements, sms }: NotifyParts): Kind<{ notificationId: number }> {
  return jobs.define<{ notificationId: number }>({
    kind: 'notification-sms',
    queue: 'sms',
    async run({ payload: { notificationId }, signal }) {
      const { phone, merchant, title, text } = await readNotification(database, statements, notificationId)
      if (!phone) return { sent: false }
      const whole = `${merchant}: ${title}. ${text}`
      await sms.send({ to: phone, text: whole.slice(0, SMS_LENGTH), id: `notification-${notificationId}` }, { signal })
      return { sent: true, by: sms.name }
    },
  })
}

async function readNotification(database: Database, statements: NotificationStatements, id: number): Promise<ToSend> {
  const { rows } = await database.query<ToSend>(statements.toSend, [id])
  if (!rows[0]) throw new PermanentError(`there is no notification ${id} any more`)
  return rows[0]
}
