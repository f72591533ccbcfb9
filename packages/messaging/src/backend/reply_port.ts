/** One reply to a request. */
export interface Reply {
  readonly correlationId: string
  /** From 0; of one request they arrive in order, or a gap tells that one was lost. */
  readonly sequence: number
  readonly isLast: boolean
  /** Encoded, as of a message; undefined for an error, or an end without a value. */
  readonly body: string | Uint8Array | undefined
  readonly contentType: string
  readonly error?: { readonly code: string; readonly message: string; readonly details?: unknown } | undefined
}

/** The way back to whoever asked. At most once: a request whose reply is lost times out. */
export interface ReplyPort {
  /** Where replies to this process go. @throws E_MESSAGE_NOT_STARTED before `start` */
  readonly address: string
  /** Hears replies to this process. */
  onReply(hear: (reply: Reply) => void): () => void
  /** Sends a reply; resolves when it has left. False if nobody waits at the address any more, where the store can tell. */
  send(address: string, reply: Reply): Promise<boolean>
  /** Tells the responders that nobody waits for a request any more. At most once. */
  cancel(correlationId: string): Promise<void>
  /** Hears of cancelled requests. */
  onCancel(hear: (correlationId: string) => void): () => void
}
