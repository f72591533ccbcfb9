/** One e-mail. */
export interface Mail {
  to: string | readonly string[]
  subject: string
  text: string
  html?: string
  /** Kept with the mail where the transport can (a header or a file name), so that sending twice is seen. */
  messageId?: string
  headers?: Readonly<Record<string, string>>
}

/** Sends e-mail. `send` resolves once the transport has taken responsibility for the mail, and rejects otherwise. */
export interface Mailer {
  send(mail: Mail, options?: { signal?: AbortSignal }): Promise<{ messageId: string }>
  close(): Promise<void>
}
