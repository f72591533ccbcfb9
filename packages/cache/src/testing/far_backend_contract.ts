import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { stressLifecycle } from '@tailwater/core/testing'
import { browserClauses } from './browser_clauses.ts'
import { claimClauses } from './claim_clauses.ts'
import { entryClauses } from './entry_clauses.ts'
import { historyClauses } from './history_clauses.ts'
import { invalidationClauses } from './invalidation_clauses.ts'
import { leaseClauses } from './lease_clauses.ts'
import type { Clause, FarBackendUnderTest } from './subject.ts'
import { tagClauses } from './tag_clauses.ts'

/**
 * What every `FarBackend` promises.
 *
 * @param except clauses that a backend cannot keep, each with its reason
 * @example
 * farBackendContract('my store', { open: async () => ({ backend, pass, close }) })
 */
export function farBackendContract(
  name: string,
  { open, except = {} }: { open(): Promise<FarBackendUnderTest>; except?: Record<string, string> },
): void {
  describe(`${name} keeps the FarBackend contract`, () => {
    let subject: FarBackendUnderTest
    beforeEach(async () => {
      subject = await open()
    })
    afterEach(() => subject.close())
    const clause: Clause = (title, body) => {
      it(title, { skip: except[title] ?? false }, () => body(subject))
    }
    entryClauses(clause)
    invalidationClauses(clause)
    leaseClauses(clause)
    claimClauses(clause)
    tagClauses(clause)
    browserClauses(clause)
    historyClauses(clause)

    clause('it answers a ping, and its time goes forward', async ({ backend }) => {
      await backend.ping()
      const before = await backend.time()
      assert.ok(before > Date.UTC(2020, 0, 1))
      assert.ok((await backend.time()) >= before)
    })

    clause('it starts and stops in any order', async ({ backend }) => {
      await stressLifecycle(backend)
      await backend.start()
    })
  })
}
