// A process that keeps articles in memory, and hears of their changes.
import { cacheInvalidation, listen } from '@tailwater/core'
import { answerPlans } from '../../harness/side_process.ts'
import { articleKey, openShop, type Shop, type ShopPlaces } from './shop.ts'

/** What it is told: to open, to have articles in memory, to say when it has none of them any more, and to close. */
export type ListenerPlan =
  | { open: ShopPlaces }
  | { keep: { from: number; count: number } }
  | { forgotten: { from: number; count: number } }
  | 'close'

let shop: Shop | undefined

answerPlans<ListenerPlan, number>(async (plan) => {
  if (plan === 'close') await shop?.close()
  else if ('open' in plan) shop = await openShop(plan.open)
  else if ('keep' in plan) return keep(plan.keep.from, plan.keep.count)
  else return forgotten(plan.forgotten.from, plan.forgotten.count)
  return 0
})

/** How many it has in memory then. */
async function keep(from: number, count: number): Promise<number> {
  const ids = Array.from({ length: count }, (_, at) => from + at)
  await shop!.cache.getOrSetMany({ keys: ids.map(articleKey), load: async (keys) => keys.map((key) => ({ key })) })
  return ids.filter((id) => shop!.cache.getSync(articleKey(id)) !== undefined).length
}

/** Resolves when it has none of them any more: looks when it is told of an invalidation, and does nothing else meanwhile. */
function forgotten(from: number, count: number): Promise<number> {
  let next = from
  return new Promise((resolve) => {
    const look = () => {
      while (next < from + count && shop!.cache.getSync(articleKey(next)) === undefined) next++
      if (next < from + count) return
      end()
      resolve(count)
    }
    // The message is published when it has been carried out.
    const end = listen(cacheInvalidation, look)
    look()
  })
}
