import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { registerCacheDriverTestSuite } from 'bentocache/test_suite'
import { createBentocacheDriver } from './bentocache_driver.ts'
import { type OpenStore, stores } from './stores.ts'

/** What the suite's tests are given of japa. */
const assertions = {
  deepEqual: assert.deepEqual,
  notEqual: assert.notEqual,
  isTrue: (value: unknown) => assert.equal(value, true),
  isFalse: (value: unknown) => assert.equal(value, false),
  isUndefined: (value: unknown) => assert.equal(value, undefined),
}

type Body = (context: { assert: typeof assertions; cleanup(task: () => Promise<void>): void }) => Promise<void>

/** The suite is written for japa. */
function likeJapa() {
  return {
    test: (name: string, body: Body) =>
      it(name, async (context) => body({ assert: assertions, cleanup: (task) => context.after(task) })),
    group: {
      setup(prepare: () => Promise<() => unknown>) {
        let undo: () => unknown = () => {}
        before(async () => {
          undo = await prepare()
        })
        after(async () => {
          await undo()
        })
      },
      tap() {},
      each: { teardown: (task: () => Promise<void>) => afterEach(task) },
    },
  }
}

for (const [name, open] of Object.entries(stores))
  describe(`bentocache's own suite over ${name}`, () => {
    let store: OpenStore
    before(async () => {
      store = await open()
    })
    after(() => store.close())
    registerCacheDriverTestSuite({
      ...likeJapa(),
      createDriver: ({ prefix }: { prefix?: string } = {}) => createBentocacheDriver(store.far, prefix),
    } as never)
  })
