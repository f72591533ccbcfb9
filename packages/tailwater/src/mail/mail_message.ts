import { type Mail, TailwaterError } from '@tailwater/core'

/** Refuses what a transport would misunderstand: an address or subject with line breaks could add headers of its own. */
export function checkMail(mail: Mail): void {
  const addresses = typeof mail.to === 'string' ? [mail.to] : mail.to
  if (addresses.length === 0 || !addresses.every((address) => /^[^\s@<>,;]+@[^\s@<>,;]+$/.test(address)))
    throw new TailwaterError('E_MAIL', 'a mail needs at least one recipient, each a plain address')
  if (/[\r\n]/.test(mail.subject)) throw new TailwaterError('E_MAIL', 'the subject of a mail must be one line')
}
