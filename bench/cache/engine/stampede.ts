import { setTimeout } from 'node:timers/promises'
import type { Engine } from './engine.ts'
import type { StampedePlan, StampedeRound } from './engine_plan.ts'
import { productOf } from './product.ts'

/** Has many ask for one key at once. @throws when somebody is given something else */
export async function stampede(
  engine: Engine,
  { key, callers, loadMs }: StampedePlan['stampede'],
): Promise<StampedeRound> {
  let loads = 0
  const load = async () => {
    loads++
    await setTimeout(loadMs)
    return productOf(key)
  }
  const before = performance.now()
  const answers = await Promise.all(Array.from({ length: callers }, () => engine.getOrSet(`stampede:${key}`, load)))
  const ms = performance.now() - before
  const wrong = answers.filter(({ id }) => id !== key).length
  if (wrong > 0) throw new Error(`${wrong} of ${callers} callers were given another product`)
  return { loads, ms }
}
