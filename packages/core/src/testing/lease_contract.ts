import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { LeaseStore } from '../ports/lease.ts'

/** A store, and how its time is moved. */
export interface LeaseStoreUnderTest {
  leases: LeaseStore
  /** Makes `ms` pass for the store. */
  pass(ms: number): Promise<void>
  close(): Promise<void>
}

/** What every `LeaseStore` promises. */
export function leaseContract(
  name: string,
  { open, except = {} }: { open(): Promise<LeaseStoreUnderTest>; except?: Record<string, string> },
): void {
  describe(`${name} keeps the LeaseStore contract`, () => {
    let subject: LeaseStoreUnderTest
    beforeEach(async () => {
      subject = await open()
    })
    afterEach(() => subject.close())

    clause('a free lease is granted to whoever asks first', async ({ leases }) => {
      const lease = await leases.acquire('relay', 'a', 1_000)
      assert.equal(lease?.holder, 'a')
      assert.equal(await leases.acquire('relay', 'b', 1_000), undefined)
    })

    clause('two that ask at once are not both granted', async ({ leases }) => {
      const granted = await Promise.all(['a', 'b', 'c', 'd'].map((holder) => leases.acquire('relay', holder, 1_000)))
      assert.equal(granted.filter(Boolean).length, 1)
    })

    clause('leases of other names are independent', async ({ leases }) => {
      assert.ok(await leases.acquire('relay', 'a', 1_000))
      assert.ok(await leases.acquire('sweeper', 'b', 1_000))
    })

    clause('the live holder acquires again with the same epoch', async ({ leases, pass }) => {
      const first = await leases.acquire('relay', 'a', 1_000)
      await pass(600)
      const again = await leases.acquire('relay', 'a', 1_000)
      assert.equal(again?.epoch, first?.epoch)
      await pass(600)
      assert.equal(await leases.acquire('relay', 'b', 1_000), undefined)
    })

    clause('an expired lease goes to the next with a greater epoch', async ({ leases, pass }) => {
      const first = await leases.acquire('relay', 'a', 1_000)
      await pass(1_001)
      const second = await leases.acquire('relay', 'b', 1_000)
      assert.ok(second && first && second.epoch > first.epoch)
    })

    clause('a holder that comes back after its expiry has a greater epoch too', async ({ leases, pass }) => {
      const first = await leases.acquire('relay', 'a', 1_000)
      await pass(1_001)
      const second = await leases.acquire('relay', 'a', 1_000)
      assert.ok(second && first && second.epoch > first.epoch)
    })

    clause('renewing keeps the lease beyond its first ttl', async ({ leases, pass }) => {
      const lease = await leases.acquire('relay', 'a', 1_000)
      await pass(600)
      assert.equal((await leases.renew(lease!, 1_000))?.epoch, lease!.epoch)
      await pass(600)
      assert.equal(await leases.acquire('relay', 'b', 1_000), undefined)
    })

    clause('an expired or overtaken lease is not renewed', async ({ leases, pass }) => {
      const lost = await leases.acquire('relay', 'a', 1_000)
      await pass(1_001)
      assert.equal(await leases.renew(lost!, 1_000), undefined)
      await leases.acquire('relay', 'b', 1_000)
      assert.equal(await leases.renew(lost!, 1_000), undefined)
    })

    clause('releasing frees the lease at once, and the epoch still grows', async ({ leases }) => {
      const first = await leases.acquire('relay', 'a', 1_000)
      assert.equal(await leases.release(first!), true)
      const second = await leases.acquire('relay', 'b', 1_000)
      assert.ok(second && second.epoch > first!.epoch)
    })

    clause('releasing with a stale epoch changes nothing', async ({ leases, pass }) => {
      const stale = await leases.acquire('relay', 'a', 1_000)
      await pass(1_001)
      await leases.acquire('relay', 'b', 1_000)
      assert.equal(await leases.release(stale!), false)
      assert.equal(await leases.acquire('relay', 'c', 1_000), undefined)
    })

    clause('an older grant of the same holder neither renews nor releases its newer one', async ({ leases, pass }) => {
      const stale = await leases.acquire('relay', 'a', 1_000)
      await pass(1_001)
      await leases.acquire('relay', 'a', 1_000)
      assert.equal(await leases.renew(stale!, 5_000), undefined)
      assert.equal(await leases.release(stale!), false)
      assert.equal(await leases.acquire('relay', 'b', 1_000), undefined)
    })

    function clause(title: string, body: (subject: LeaseStoreUnderTest) => Promise<void>) {
      it(title, { skip: except[title] ?? false }, () => body(subject))
    }
  })
}
