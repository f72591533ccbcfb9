/** One short message. */
export interface Sms {
  /** In the form +441632960001. */
  to: string
  text: string
  /** Of this message: sending twice delivers once. */
  id: string
}

/** Whoever delivers short messages. `send` resolves once the provider has taken responsibility, and rejects otherwise. */
export interface SmsProvider {
  readonly name: string
  send(sms: Sms, options?: { signal?: AbortSignal }): Promise<void>
}
