import type { DeadLetter, DeadLetterPage, DeadLetterPort } from './backend/dead_letter_port.ts'
import { createLetterViews, type LetterView } from './letter_view.ts'
import { encodeBody } from './publish/body.ts'

/** Letters of a page when nobody says how many, and at most. */
const PAGE = 50
const MAX_PAGE = 500

/** What was given up, and what can be done with it. */
export interface DeadLetters {
  count(subscription: string): Promise<number>
  list(subscription: string, options?: { limit?: number; cursor?: string }): Promise<DeadLetterPage>
  get(subscription: string, id: string): Promise<DeadLetter | undefined>
  /** Puts letters back, as if never tried: those named, or all that are there. How many. */
  redrive(subscription: string, ids?: readonly string[]): Promise<number>
  /** Puts one back with another body, and other headers if they are given. */
  redriveEdited(
    subscription: string,
    id: string,
    edit: { body: unknown; headers?: Readonly<Record<string, string>> },
  ): Promise<boolean>
  /** Deletes letters: those named, or all. How many. */
  purge(subscription: string, ids?: readonly string[]): Promise<number>
  /** A letter as it may be shown to people: its body read, and what is not to be seen hidden. */
  show(letter: DeadLetter): LetterView
}

/** Dead letters of a backend. */
export function createDeadLetters(
  port: DeadLetterPort,
  { maxBody, redact }: { maxBody: number; redact: readonly string[] },
): DeadLetters {
  return {
    show: createLetterViews(redact),
    count: (subscription) => port.count(subscription),
    list: (subscription, { limit = PAGE, cursor } = {}) =>
      port.list(subscription, { limit: Math.min(Math.max(1, limit), MAX_PAGE), cursor }),
    get: (subscription, id) => port.get(subscription, id),
    redrive: (subscription, ids) => port.redrive(subscription, ids),
    async redriveEdited(subscription, id, { body, headers }) {
      const encoded = encodeBody('the edited letter', body, maxBody)
      return (await port.redrive(subscription, [id], { body: encoded.body, ...(headers && { headers }) })) === 1
    },
    purge: (subscription, ids) => port.purge(subscription, ids),
  }
}
