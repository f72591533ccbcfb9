import { type Clock, currentContext, type Mail, type Mailer, mailSent, toError } from '@tailwater/core'
import { checkMail } from './mail_message.ts'

/** Puts checks and the `mailSent` event around a transport. */
export function timedMailer(transport: 'smtp' | 'outbox', clock: Clock, inner: Mailer): Mailer {
  return {
    async send(mail: Mail, options) {
      checkMail(mail)
      // Once the transport has begun there is no taking back.
      options?.signal?.throwIfAborted()
      const startedAt = clock.elapsed()
      const requestId = currentContext()?.requestId
      const publish = (messageId: string | undefined, error: Error | undefined) => {
        if (mailSent.hasSubscribers)
          mailSent.publish({ requestId, messageId, transport, ms: clock.elapsed() - startedAt, error })
      }
      try {
        const sent = await inner.send(mail, options)
        publish(sent.messageId, undefined)
        return sent
      } catch (error) {
        publish(undefined, toError(error))
        throw error
      }
    },
    close: () => inner.close(),
  }
}
