// A process that keeps articles in memory, and hears of their changes.
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

/** Resolves when it has heard that all of them have changed, with the milliseconds since the Unix epoch. */
async function forgotten(from: number, count: number): Promise<number> {
  for (let id = from; id < from + count; id++)
    while (shop!.cache.getSync(articleKey(id)) !== undefined) await new Promise((resolve) => setImmediate(resolve))
  return performance.timeOrigin + performance.now()
}
