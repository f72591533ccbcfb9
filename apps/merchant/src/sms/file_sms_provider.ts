import { createHash } from 'node:crypto'
import type { FileStore } from '@tailwater/core'
import type { SmsProvider } from './sms_provider.ts'

/**
 * Writes each message as a file under `outbox/` of the file store, beside the mails: what development and tests use in place of a provider.
 *
 * Named by the message's id: one that is sent twice is one file.
 */
export function createFileSmsProvider(files: FileStore): SmsProvider {
  return {
    name: 'file',
    async send({ to, text, id }, { signal } = {}) {
      const name = createHash('sha256').update(id).digest('hex').slice(0, 32)
      const content = `To: ${to}\nId: ${id}\n\n${text}\n`
      await files.write(`outbox/${name}.sms.txt`, Buffer.from(content), signal ? { signal } : {})
    },
  }
}
