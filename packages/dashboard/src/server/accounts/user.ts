import type { Queryable } from '@tailwater/postgres'
import type { AccountStatements } from './statements.ts'

/** What a user may do; one role so far. */
export type Role = 'administrator'

/** Somebody with an account, as everything but the accounts themselves sees them. */
export interface User {
  id: string
  email: string
  role: Role
  /** True while the password is the one-time one of the first administrator. */
  mustChangePassword: boolean
}

/** A user with what proves it is them. */
export interface UserCredentials extends User {
  passwordHash: string
}

/** The enabled user of an e-mail address, in whatever capitals, or undefined. */
export async function findUserByEmail(
  queryable: Queryable,
  statements: AccountStatements,
  email: string,
): Promise<UserCredentials | undefined> {
  const { rows } = await queryable.query<UserCredentials>(statements.userByEmail, [email.trim()])
  return rows[0]
}

/** The enabled user of an id, or undefined. */
export async function findUser(
  queryable: Queryable,
  statements: AccountStatements,
  id: string,
): Promise<UserCredentials | undefined> {
  const { rows } = await queryable.query<UserCredentials>(statements.userById, [id])
  return rows[0]
}
