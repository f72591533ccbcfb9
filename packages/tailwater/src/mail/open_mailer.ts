import type { Clock, FileStore, Mailer } from '@tailwater/core'
import type { ResolvedConfig } from '../config.ts'

/** The mailer of a configuration; nodemailer is loaded only here, so that those who send no mail need not install it. */
export async function openMailer({ mail }: ResolvedConfig, parts: { clock: Clock; files: FileStore }): Promise<Mailer> {
  const { createOutboxMailer, createSmtpMailer } = await import('./nodemailer_mailers.ts')
  const { smtpUrl: url, from } = mail
  return url ? createSmtpMailer({ url, from, ...parts }) : createOutboxMailer({ from, ...parts })
}
