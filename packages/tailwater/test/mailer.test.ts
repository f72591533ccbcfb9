import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, it } from 'node:test'
import { hasCode, listen, type MailSentEvent, mailSent, runInContext, systemClock } from '@tailwater/core'
import { SMTPServer } from 'smtp-server'
import { createDiskFileStore } from '../src/files/disk_file_store.ts'
import { createOutboxMailer, createSmtpMailer } from '../src/mail/nodemailer_mailers.ts'

const folder = await mkdtemp(join(tmpdir(), 'tailwater-mail-'))
after(() => rm(folder, { recursive: true }))

const received: string[] = []
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onRcptTo: ({ address }, _session, done) => done(address.startsWith('refused') ? new Error('no such mailbox') : null),
  async onData(stream, _session, done) {
    received.push(await text(stream))
    done()
  },
})
server.listen(0, '127.0.0.1')
await once(server.server, 'listening')
const { port } = server.server.address() as { port: number }
after(() => new Promise<void>((resolve) => server.close(() => resolve())))

const parts = { from: 'shop@example.com', clock: systemClock }
const mail = { to: 'ada@example.com', subject: 'Your order', text: 'Thank you.', messageId: '<order-1@example.com>' }

it('a mail sent by SMTP arrives, and is published with the id of its request', async () => {
  const mailer = createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, ...parts })
  const events: MailSentEvent[] = []
  const end = listen(mailSent, (event) => void events.push(event))
  await runInContext({ requestId: 'request-1' }, () => mailer.send(mail))
  end()
  await mailer.close()
  assert.match(received[0] ?? '', /Subject: Your order[\s\S]*Thank you\./)
  assert.equal(events[0]?.requestId, 'request-1')
  assert.equal(JSON.stringify(events).includes('ada@'), false)
})

it("a mailbox that is refused fails with the server's answer", async () => {
  const mailer = createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, ...parts })
  await assert.rejects(
    mailer.send({ ...mail, to: 'refused@example.com' }),
    (error) => hasCode(error, 'E_MAIL') && /no such mailbox/.test(error.message),
  )
  await mailer.close()
})

it('without a server a mail is a file in the outbox, and the same mail is the same file', async () => {
  const files = createDiskFileStore(folder)
  const mailer = createOutboxMailer({ files, ...parts })
  await mailer.send(mail)
  await mailer.send(mail)
  const found = []
  for await (const file of files.list('outbox/')) found.push(file.key)
  assert.equal(found.length, 1)
  assert.match(await text(await files.read(found[0]!)), /To: ada@example\.com[\s\S]*Thank you\./)
})

for (const [title, broken] of [
  ['a subject with a line break', { ...mail, subject: 'a\r\nBcc: everybody@example.com' }],
  ['an address with a line break', { ...mail, to: 'a@b.c\r\nBcc: x@y.z' }],
  ['no recipient', { ...mail, to: [] }],
] as const)
  it(`refuses ${title}`, async () => {
    const mailer = createOutboxMailer({ files: createDiskFileStore(folder), ...parts })
    await assert.rejects(mailer.send(broken), (error) => hasCode(error, 'E_MAIL'))
  })
