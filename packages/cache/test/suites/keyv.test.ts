import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite'
import { JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect'
import * as chai from 'chai'
import { Keyv } from 'keyv'
import { createKeyvStore } from './keyv_store.ts'
import { type OpenStore, stores } from './stores.ts'

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin)

type Body = (context: { expect: (value: unknown) => unknown }) => unknown

/** The suite is written for vitest, whose tests are given `expect`, and may say how often they will call it. */
const likeVitest = {
  it: (name: string, body: Body) =>
    it(name, async () => {
      let [calls, announced]: [number, number | undefined] = [0, undefined]
      const counting = (value: unknown) => {
        calls++
        return chai.expect(value)
      }
      counting.assertions = (count: number) => {
        announced = count
      }
      await body({ expect: counting })
      assert.equal(calls, announced ?? calls)
    }),
  beforeEach,
  afterEach,
}

for (const [name, open] of Object.entries(stores))
  describe(`Keyv's own suite over ${name}`, () => {
    let store: OpenStore
    before(async () => {
      store = await open()
    })
    after(() => store.close())
    keyvTestSuite(likeVitest as never, Keyv, () => createKeyvStore(store.far))
    keyvIteratorTests(likeVitest as never, Keyv, () => createKeyvStore(store.far))
  })
