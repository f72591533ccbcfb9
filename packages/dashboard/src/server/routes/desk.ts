import type { Middleware } from '@tailwater/http'
import type { Accounts } from '../accounts/accounts.ts'
import type { ResolvedDashboardOptions } from '../options.ts'
import type { Authenticator } from '../principal.ts'

/** What the families of routes share. */
export interface Desk {
  /** Where the dashboard stands: `/tailwater`. */
  mount: string
  options: ResolvedDashboardOptions
  accounts: Accounts | undefined
  authenticator: Authenticator
  /** Around everything that only those who are logged in may read. */
  reads: readonly Middleware[]
  /** Around everything that changes caches, queues and jobs. */
  changes: readonly Middleware[]
  /** Around everything that checks a password. */
  attempts: readonly Middleware[]
}

/** Names of the security schemes in the OpenAPI document. */
export const SECURITY = ['session', 'bearer'] as const
