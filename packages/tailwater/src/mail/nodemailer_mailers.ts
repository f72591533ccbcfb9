import { createHash, randomUUID } from 'node:crypto'
import { type Clock, type FileStore, type Mail, type Mailer, TailwaterError, toError } from '@tailwater/core'
import { createTransport, type SendMailOptions } from 'nodemailer'
import { timedMailer } from './timed_mailer.ts'

/** Milliseconds for each step of a conversation with a mail server; its defaults would hold a job for ten minutes. */
const SMTP_TIMEOUT = 15_000

/** What both mailers are built from. */
interface MailerParts {
  from: string
  clock: Clock
}

/** Sends by SMTP, over a pool of connections. @throws E_MAIL from `send`, with the server's answer as cause */
export function createSmtpMailer({ url, from, clock }: MailerParts & { url: string }): Mailer {
  const transport = createTransport({
    url,
    pool: true,
    connectionTimeout: SMTP_TIMEOUT,
    greetingTimeout: SMTP_TIMEOUT,
    socketTimeout: SMTP_TIMEOUT,
  } as Parameters<typeof createTransport>[0])
  return timedMailer('smtp', clock, {
    async send(mail) {
      try {
        const { messageId } = await transport.sendMail(messageOf(mail, from))
        return { messageId }
      } catch (cause) {
        throw new TailwaterError('E_MAIL', `the mail server did not take the mail: ${toError(cause).message}`, {
          cause,
        })
      }
    },
    close: async () => transport.close(),
  })
}

/** Writes each mail as an `.eml` file under `outbox/` of the file store: what development and tests use in place of a server. */
export function createOutboxMailer({ files, from, clock }: MailerParts & { files: FileStore }): Mailer {
  const transport = createTransport({ streamTransport: true, buffer: true })
  return timedMailer('outbox', clock, {
    async send(mail) {
      const message = messageOf(mail, from)
      const { message: content } = await transport.sendMail(message)
      // Named by the message's id: a job that sends twice writes one file.
      const name = createHash('sha256').update(message.messageId).digest('hex').slice(0, 32)
      await files.write(`outbox/${name}.eml`, content as Buffer)
      return { messageId: message.messageId }
    },
    close: async () => transport.close(),
  })
}

function messageOf(mail: Mail, from: string): SendMailOptions & { messageId: string } {
  const messageId = mail.messageId ?? `<${randomUUID()}@tailwater>`
  return {
    from,
    to: typeof mail.to === 'string' ? mail.to : [...mail.to],
    subject: mail.subject,
    text: mail.text,
    messageId,
    ...(mail.html === undefined ? {} : { html: mail.html }),
    ...(mail.headers ? { headers: { ...mail.headers } } : {}),
  }
}
