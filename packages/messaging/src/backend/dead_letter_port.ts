import type { AttemptNote, Message } from '../message.ts'
import type { DeathReason } from './consume_port.ts'

/** A message that was given up. */
export interface DeadLetter {
  /** Of the dead letter, for `get` and `redrive`; a message that died in two subscriptions is two. */
  readonly id: string
  readonly subscription: string
  readonly message: Message
  readonly reason: DeathReason
  readonly notes: readonly AttemptNote[]
  /** In milliseconds since the Unix epoch. */
  readonly diedAt: number | undefined
}

/** A page of them, in the order of the store: one that it keeps to from page to page. */
export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[]
  /** For the next page; undefined at the end. */
  readonly cursor: string | undefined
}

/** What was given up, and what can be done with it. */
export interface DeadLetterPort {
  count(subscription: string): Promise<number>
  /** Reads without taking: nothing changes its place for those who redrive. */
  list(
    subscription: string,
    options: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<DeadLetterPage>
  get(subscription: string, id: string): Promise<DeadLetter | undefined>
  /**
   * Puts letters back to the end of their subscription (and of no other), as if never tried: kept there, confirmed, before they are gone here.
   * @param ids those to take; undefined for all that are there when it begins
   * @param edit what is put back instead; of one letter only
   * @returns how many were put back
   */
  redrive(
    subscription: string,
    ids: readonly string[] | undefined,
    edit?: { readonly body: string | Uint8Array; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<number>
  /** Deletes letters, all without `ids`; how many. */
  purge(subscription: string, ids?: readonly string[]): Promise<number>
}
