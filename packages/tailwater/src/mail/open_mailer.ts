import { type Clock, type FileStore, hasCode, type Mailer, TailwaterError } from '@tailwater/core'
import type { ResolvedConfig } from '../config.ts'

/**
 * The mailer of a configuration. Those who send no mail need not install nodemailer: without a mail server it is loaded by the first
 * mail, with one at once, so that the start tells of its absence and not a job at night.
 *
 * @throws E_PACKAGE_MISSING
 */
export async function openMailer(
  { mail }: Pick<ResolvedConfig, 'mail'>,
  parts: { clock: Clock; files: FileStore },
): Promise<Mailer> {
  const { smtpUrl: url, from } = mail
  if (url) return (await loadMailers()).createSmtpMailer({ url, from, ...parts })
  return openedByFirstMail(async () => (await loadMailers()).createOutboxMailer({ from, ...parts }))
}

async function loadMailers(): Promise<typeof import('./nodemailer_mailers.ts')> {
  try {
    return await import('./nodemailer_mailers.ts')
  } catch (cause) {
    if (!hasCode(cause, 'ERR_MODULE_NOT_FOUND')) throw cause
    throw new TailwaterError('E_PACKAGE_MISSING', "mail needs the package 'nodemailer': npm install nodemailer@10", {
      cause,
    })
  }
}

function openedByFirstMail(open: () => Promise<Mailer>): Mailer {
  let mailer: Mailer | undefined
  return {
    async send(mail, options) {
      mailer ??= await open()
      return mailer.send(mail, options)
    },
    close: async () => mailer?.close(),
  }
}
