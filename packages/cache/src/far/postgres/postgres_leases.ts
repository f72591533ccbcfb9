import type { Queryable } from '@tailwater/postgres'
import { claimInSteps } from '../claim.ts'
import type { FarEntries, FarLeases, LeaseAnswer, LeaseWish } from '../far_backend.ts'
import { roundsOf } from './rounds.ts'
import type { CacheStatements } from './statements.ts'

/** Leases in the rows of the entries, so that one lock decides of both. */
export function createPostgresLeases(database: Queryable, sql: CacheStatements, entries: FarEntries): FarLeases {
  /** @param wishes each for another key */
  async function acquireApart(wishes: readonly LeaseWish[], ttl: number): Promise<LeaseAnswer[]> {
    const { rows } = await database.query<{ key: string; answer: LeaseAnswer }>(sql.acquire, [
      wishes.map(({ key }) => key),
      wishes.map(({ seen }) => seen),
      wishes.map(({ token }) => token),
      ttl,
    ])
    const answers = new Map(rows.map(({ key, answer }) => [key, answer]))
    return wishes.map(({ key }) => answers.get(key)!)
  }

  async function acquire(wishes: readonly LeaseWish[], ttl: number): Promise<LeaseAnswer[]> {
    const answers = new Array<LeaseAnswer>(wishes.length)
    for (const round of roundsOf(wishes)) {
      const outcomes = await acquireApart(
        round.map((index) => wishes[index]!),
        ttl,
      )
      for (const [position, index] of round.entries()) answers[index] = outcomes[position]!
    }
    return answers
  }

  return {
    acquire,
    claim: claimInSteps(entries, { acquire }),
    async renew(key, token, ttl) {
      const { rows } = await database.query(sql.renew, [key, token, ttl])
      return rows.length > 0
    },
    async release(key, token) {
      await database.query(sql.release, [key, token])
    },
  }
}
