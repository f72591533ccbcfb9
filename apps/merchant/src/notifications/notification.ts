import { Email, Id, Nullable, OneOf } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { Moment } from '../api/field.ts'

/** What merchants are notified of. */
export const topics = [
  'order-placed',
  'order-ready',
  'order-cancelled',
  'order-returned',
  'order-refused',
  'quality-checked',
  'report-ready',
] as const

/** One of `topics`. */
export type Topic = (typeof topics)[number]

/** A notification in a merchant's inbox. */
export const notificationSchema = Type.Object({
  id: Id,
  merchantId: Id,
  topic: OneOf(topics),
  title: Type.String({ examples: ['Order 7 was placed'] }),
  text: Type.String(),
  link: Nullable(Type.String({ description: 'Path below the API of what it is about.', examples: ['/orders/7'] })),
  createdAt: Moment,
  readAt: Nullable(Moment),
})

const Topics = Type.Array(OneOf(topics), { maxItems: topics.length, uniqueItems: true })

/** Where a merchant is reached, and of what it wants to hear there besides its inbox. */
export const preferencesSchema = Type.Object({
  email: Nullable(Email),
  phone: Nullable(
    Type.String({
      pattern: '^\\+[1-9]\\d{6,14}$',
      maxLength: 16,
      examples: ['+441632960001'],
      description: 'In international form.',
    }),
  ),
  byEmail: Topics,
  bySms: Topics,
})

/** A notification in a merchant's inbox. */
export type Notification = Static<typeof notificationSchema>

/** Where a merchant is reached, and of what it wants to hear there. */
export type Preferences = Static<typeof preferencesSchema>

/** What a merchant has that never said anything: its inbox. */
export const noPreferences: Preferences = { email: null, phone: null, byEmail: [], bySms: [] }
