import { describe } from 'node:test'
import type { AdapterUnderTest, Exceptions } from './adapter_under_test.ts'
import { middlewareClauses } from './middleware_clauses.ts'
import { routeClauses } from './route_clauses.ts'

/**
 * What every adapter promises: routes and middleware behave the same in each framework.
 *
 * @param except clauses left out, by name, with the reason
 */
export function adapterContract(name: string, subject: AdapterUnderTest, except: Exceptions = {}): void {
  describe(`${name} keeps the adapter contract`, () => {
    describe('routes', () => routeClauses(subject, except))
    describe('middleware around own handlers', () => middlewareClauses(subject, except))
  })
}
