import { optionsError } from '@tailwater/core'

/** The error of a cursor that no page of this store gave. */
export function wrongCursor(given: string) {
  return optionsError('the cursor of a page', 'what the page before it gave as next', given)
}
