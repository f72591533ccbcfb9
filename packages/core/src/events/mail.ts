import { eventChannel } from '../channel.ts'

/** One e-mail handed over, or refused. Addresses are left out: they are personal data. */
export interface MailSentEvent {
  requestId: string | undefined
  messageId: string | undefined
  transport: 'smtp' | 'outbox'
  ms: number
  error: Error | undefined
}

/** Every e-mail handed to its transport. */
export const mailSent = eventChannel<MailSentEvent>('tailwater:mail:sent')
