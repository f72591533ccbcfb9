import type { Clock } from '@tailwater/core'

/** What is said of, and holds for, the statements of one server. */
export interface StatementSite {
  /** `host:port`, for messages. */
  where: string
  /** Milliseconds after which the server itself cancels a statement; 0 for never. */
  statementTimeout: number
  /** Milliseconds after which a statement is cancelled from here; 0 for never. */
  watch: number
  clock: Clock
}
