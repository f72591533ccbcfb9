import { useCallback, useEffect, useState } from 'react'
import { ApiError, api, type Me } from '../api.ts'

/*
 * Who is looking. Modes:
 *   asking     the server is being asked
 *   outside    nobody is logged in
 *   changing   logged in, but the password must or shall be changed first
 *   inside     logged in
 *   forbidden  known, but not allowed here
 *   trouble    the server could not be asked
 */

/** What is known of the person before the page. */
export type Account =
  | { mode: 'asking' }
  | { mode: 'outside'; notice: string | undefined }
  | { mode: 'changing'; me: Me; known: string | undefined }
  | { mode: 'inside'; me: Me }
  | { mode: 'forbidden'; reason: string }
  | { mode: 'trouble'; reason: string }

/** The account and what can happen to it. */
export interface AccountActions {
  account: Account
  ask(): void
  enter(me: Me, password: string): void
  changePassword(): void
  /** With a reason when it was the server's doing. */
  leave(reason?: ApiError): void
}

/** Asks the server who we are, and keeps what is known. */
export function useAccount(): AccountActions {
  const [account, setAccount] = useState<Account>({ mode: 'asking' })

  const ask = useCallback(() => {
    api.me().then(
      (me) => setAccount(entered(me, undefined)),
      (error: unknown) => setAccount(refused(error, undefined)),
    )
  }, [])
  useEffect(ask, [ask])

  const leave = useCallback((reason?: ApiError) => {
    setAccount(
      reason ? refused(reason, 'You were logged out. Log in to go on.') : { mode: 'outside', notice: undefined },
    )
  }, [])
  const changePassword = useCallback(() => {
    setAccount((current) =>
      current.mode === 'inside' ? { mode: 'changing', me: current.me, known: undefined } : current,
    )
  }, [])
  return { account, ask, enter: (me, password) => setAccount(entered(me, password)), changePassword, leave }
}

function entered(me: Me, known: string | undefined): Account {
  return me.user.mustChangePassword ? { mode: 'changing', me, known } : { mode: 'inside', me }
}

function refused(error: unknown, notice: string | undefined): Account {
  if (!(error instanceof ApiError)) return { mode: 'trouble', reason: 'The page could not start.' }
  if (error.status === 401) return { mode: 'outside', notice }
  if (error.status === 403) return { mode: 'forbidden', reason: error.message }
  return { mode: 'trouble', reason: error.message }
}
