import assert from 'node:assert/strict'
import type { Clause } from './subject.ts'

/** Numbers of tags: equal as long as nothing was invalidated, greater afterwards. */
export function tagClauses(clause: Clause): void {
  clause('the numbers of tags stay as they are, in the order of the tags', async ({ backend: { tags } }) => {
    const floor = await tags.now()
    await tags.numbers(['a'], floor)
    await tags.invalidate(['b'])
    const [a, b] = await tags.numbers(['a', 'b'], floor)
    assert.ok(b! > a!)
    assert.deepEqual(await tags.numbers(['b', 'a', 'b'], await tags.now()), [b, a, b])
  })

  clause(
    'an invalidated tag has a number greater than any before, and others keep theirs',
    async ({ backend: { tags } }) => {
      const [a, b, c] = await tags.numbers(['a', 'b', 'c'], await tags.now())
      const counter = await tags.now()
      const given = await tags.invalidate(['a', 'c'])
      assert.ok(given > counter)
      assert.ok(given > Math.max(a!, b!, c!))
      assert.deepEqual(await tags.numbers(['a', 'b', 'c'], counter), [given, b, given])
      assert.ok((await tags.invalidate(['a'])) > given)
    },
  )

  clause('the counter shows the greatest number given out', async ({ backend: { tags } }) => {
    const given = await tags.invalidate(['a'])
    assert.equal(await tags.now(), given)
    assert.equal(await tags.now(), given)
  })

  clause('invalidations at the same time have numbers of their own', async ({ backend: { tags } }) => {
    const given = await Promise.all(Array.from({ length: 20 }, (_, index) => tags.invalidate([`t${index % 3}`])))
    assert.equal(new Set(given).size, 20)
    const numbers = await tags.numbers(['t0', 't1', 't2'], 0)
    assert.deepEqual(Math.max(...numbers), Math.max(...given))
  })

  clause(
    "a new tag has the counter's value: no invalidation of it was missed since then",
    async ({ backend: { tags } }) => {
      const floor = await tags.now()
      assert.deepEqual(await tags.numbers(['new', 'newer'], floor), [floor, floor])
      const given = await tags.invalidate(['other'])
      assert.deepEqual(await tags.numbers(['newest'], floor), [given])
      assert.deepEqual(await tags.numbers(['new'], given), [floor])
    },
  )

  clause('a counter that is behind what the caller knows is brought up to it', async ({ backend: { tags } }) => {
    const ahead = (await tags.now()) + 1_000_000_000_000
    assert.deepEqual(await tags.numbers(['a'], ahead), [ahead])
    assert.ok((await tags.now()) >= ahead)
    assert.ok((await tags.invalidate(['a'])) > ahead)
  })

  clause(
    'a tag that was lost has a number that no entry from before its last invalidation carries',
    async ({ backend: { tags }, lose }) => {
      const [before] = await tags.numbers(['a'], await tags.now())
      const given = await tags.invalidate(['a'])
      await lose!()
      const [after] = await tags.numbers(['a'], before!)
      assert.ok(after! > before!)
      assert.ok(after! >= given)
    },
  )

  clause('tags may have any names, and many are asked for at once', async ({ backend: { tags } }) => {
    const names = ['{', '}:x', 'a b\n', 'é😀', '*', ...Array.from({ length: 700 }, (_, index) => `tag:${index}`)]
    const given = await tags.invalidate(names)
    assert.deepEqual(new Set(await tags.numbers(names, 0)), new Set([given]))
  })

  clause('a tag in use does not expire', async ({ backend: { tags }, pass }) => {
    const [before] = await tags.numbers(['a'], await tags.now())
    for (let days = 0; days < 60; days += 20) {
      await pass(20 * 86_400_000)
      // Were it lost, it would come back with this number.
      await tags.invalidate(['other'])
      assert.deepEqual(await tags.numbers(['a'], 0), [before])
    }
  })
}
