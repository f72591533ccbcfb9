import { hasCode } from '@tailwater/core'

/** Whether an error is the caller's own doing, or nobody's: another attempt cannot help, and it says nothing of whoever was called. */
export function isOwnFault(error: unknown): boolean {
  return (
    (error as { retryable?: unknown } | null)?.retryable === false ||
    (error instanceof Error && error.name === 'AbortError')
  )
}

/** Whether a call was not made because a breaker is open. */
export function isBreakerOpen(error: unknown): boolean {
  return hasCode(error, 'E_MESSAGE_BREAKER_OPEN')
}
