import type { Tailwater } from 'tailwater'
import type { Counter, OnSale } from './counter.ts'

/** One way to answer a shopper. */
export interface Step {
  name: string
  /** Whether the processes share what they keep, in Redis. */
  isShared: boolean
  /** Prepares a process; gives what answers a shopper there. */
  open(platform: Tailwater, counter: Counter): () => Promise<OnSale>
  /** Runs in the transaction of a sale. */
  tell?(platform: Tailwater, tx: object): Promise<void>
}

/** The story of docs/guides/flash-sale.md. */
export const steps: readonly Step[] = [
  {
    name: 'no cache',
    isShared: false,
    open:
      ({ database }, counter) =>
      () =>
        counter.read(database),
  },
  {
    name: 'a variable, for a second',
    isShared: false,
    open({ database, clock }, counter) {
      let kept: { product: OnSale; until: number } | undefined
      return async () => {
        if (kept && clock.elapsed() < kept.until) return kept.product
        const product = await counter.read(database)
        kept = { product, until: clock.elapsed() + 1_000 }
        return product
      }
    },
  },
  {
    name: 'getOrSet (ttl 1 s)',
    isShared: false,
    open:
      ({ cache, database }, counter) =>
      () =>
        cache.getOrSet({ key: 'lantern', ttl: '1s', load: () => counter.read(database) }),
  },
  {
    name: 'getOrSet, shared in Redis (ttl 1 s)',
    isShared: true,
    open:
      ({ cache, database }, counter) =>
      () =>
        cache.getOrSet({ key: 'lantern', ttl: '1s', load: () => counter.read(database) }),
  },
  {
    name: 'forgotten with the commit of a sale (ttl 10 min)',
    isShared: true,
    open:
      ({ cache, database }, counter) =>
      () =>
        cache.getOrSet({ key: 'lantern', ttl: '10m', tags: ['lantern'], load: () => counter.read(database) }),
    tell: ({ cache }, tx) => cache.invalidate({ tags: ['lantern'] }, { tx }),
  },
]
