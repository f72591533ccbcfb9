import { afterEach, beforeEach, describe, it } from 'node:test'
import { stressLifecycle } from '@tailwater/core/testing'
import type { JobsBackendUnderTest } from './backend_under_test.ts'
import { claimClauses } from './contract/claim_clauses.ts'
import { deletionClauses } from './contract/deletion_clauses.ts'
import { endClauses } from './contract/end_clauses.ts'
import { enqueueClauses } from './contract/enqueue_clauses.ts'
import { flowClauses } from './contract/flow_clauses.ts'
import { inspectClauses } from './contract/inspect_clauses.ts'
import { limitClauses } from './contract/limit_clauses.ts'
import { maintainClauses } from './contract/maintain_clauses.ts'
import { modelClauses } from './contract/model_clauses.ts'
import { orderClauses } from './contract/order_clauses.ts'
import { rescueClauses } from './contract/rescue_clauses.ts'
import { scheduleClauses } from './contract/schedule_clauses.ts'
import { type Clause, Subject } from './contract/subject.ts'
import { uniqueClauses } from './contract/unique_clauses.ts'

/**
 * What every `JobsBackend` promises.
 *
 * @param options.open makes a backend on a store of its own for each clause
 * @param options.except reasons why a clause is not kept, by its title
 */
export function jobsBackendContract(
  name: string,
  { open, except = {} }: { open(): Promise<JobsBackendUnderTest>; except?: Record<string, string> },
): void {
  describe(`${name} keeps the JobsBackend contract`, () => {
    let opened: JobsBackendUnderTest
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    const clause: Clause = (title, body) => {
      it(title, { skip: except[title] ?? false }, () => body(new Subject(opened)))
    }
    for (const clauses of [
      enqueueClauses,
      orderClauses,
      claimClauses,
      endClauses,
      rescueClauses,
      limitClauses,
      uniqueClauses,
      flowClauses,
      inspectClauses,
      maintainClauses,
      deletionClauses,
      scheduleClauses,
      modelClauses,
    ])
      describe(clauses.name.replace('Clauses', ''), () => clauses(clause))

    clause('starts and stops in any order', async ({ backend }) => {
      await stressLifecycle(backend)
      await backend.start()
    })
  })
}
