import { EventEmitter, once } from 'node:events'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'

/** A mail as it came in. */
export interface ReceivedMail {
  to: string[]
  /** Head and body as they were sent. */
  source: string
}

/** Somebody else's mail server. */
export interface SmtpPeer {
  url: string
  mails: ReceivedMail[]
  /** Recipients that it does not know. */
  refused: Set<string>
  /** The first mail to an address, as soon as it is there. */
  mailTo(address: string): Promise<ReceivedMail>
  close(): Promise<void>
}

/** Starts one on a free port. */
export async function startSmtpPeer(): Promise<SmtpPeer> {
  const mails: ReceivedMail[] = []
  const refused = new Set<string>()
  const news = new EventEmitter()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: ({ address }, _session, done) => done(refused.has(address) ? new Error('no such mailbox') : null),
    async onData(stream, { envelope }, done) {
      mails.push({ to: envelope.rcptTo.map(({ address }) => address), source: await text(stream) })
      done()
      news.emit('mail')
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as { port: number }
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    refused,
    close: () => new Promise((resolve) => server.close(() => resolve())),
    async mailTo(address) {
      for (;;) {
        const mail = mails.find(({ to }) => to.includes(address))
        if (mail) return mail
        await once(news, 'mail')
      }
    },
  }
}
