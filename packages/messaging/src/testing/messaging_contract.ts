import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { stressLifecycle } from '@tailwater/core/testing'
import { broadcastClauses } from './contract/broadcast_clauses.ts'
import { consumingClauses } from './contract/consuming_clauses.ts'
import { crashClauses } from './contract/crash_clauses.ts'
import { deadLetterClauses } from './contract/dead_letter_clauses.ts'
import { inspectClauses } from './contract/inspect_clauses.ts'
import { replyClauses } from './contract/reply_clauses.ts'
import { routingClauses } from './contract/routing_clauses.ts'
import { settlingClauses } from './contract/settling_clauses.ts'
import { type Clause, Subject } from './contract/subject.ts'
import { topologyClauses } from './contract/topology_clauses.ts'
import { waitingClauses } from './contract/waiting_clauses.ts'
import type { MessagingGround } from './messaging_ground.ts'

/** Milliseconds of a clause: what does not come by then does not come. */
const PATIENCE = 30_000

/**
 * What every `MessagingBackend` promises. Time is real: clauses await what is to happen.
 *
 * @param options.ground makes the store of the whole suite
 * @param options.except reasons why a clause is not kept, by its title
 */
export function messagingBackendContract(
  name: string,
  { ground, except = {} }: { ground(): Promise<MessagingGround>; except?: Record<string, string> },
): void {
  describe(`${name} keeps the MessagingBackend contract`, () => {
    let store: MessagingGround
    let subject: Subject
    before(async () => {
      store = await ground()
    })
    after(() => store?.close())
    beforeEach(async () => {
      subject = new Subject(store, await store.open())
    })
    afterEach(() => subject.close())

    const clause: Clause = (title, body) => {
      it(title, { skip: except[title] ?? false, timeout: PATIENCE }, () => body(subject))
    }
    for (const clauses of [
      topologyClauses,
      routingClauses,
      consumingClauses,
      settlingClauses,
      waitingClauses,
      crashClauses,
      deadLetterClauses,
      broadcastClauses,
      replyClauses,
      inspectClauses,
    ])
      describe(clauses.name.replace('Clauses', ''), () => clauses(clause))

    clause('starts and stops in any order', async ({ backend }) => {
      await stressLifecycle(backend)
      await backend.start()
    })
  })
}
