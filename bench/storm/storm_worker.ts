// The worker of a storm, in a process of its own: its memory is what is looked at.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { jobAttempt, listen, sleep, systemClock } from '@tailwater/core'
import { answerPlans } from '../harness/side_process.ts'
import { CONCURRENCY, createStormEngine } from './storm_engine.ts'
import { openStormPlace, type StormPlace } from './storm_store.ts'
import { WaitCounts } from './wait_counts.ts'

/** What the worker is asked. */
export type StormOrder = { start: StormPlace; fair: boolean } | 'look' | 'stop'

/** What a tenant got. */
export interface TenantFigures {
  /** Attempts that ended, well or not. */
  attempts: number
  /** How long jobs were available before their first attempt, as `WaitCounts` lists it. */
  waits: number[]
}

/** What it says. */
export interface StormLook {
  /** Bytes, after a collection of garbage. */
  heap: number
  rss: number
  tenants: Record<string, TenantFigures>
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const figures = new Map<string, { attempts: number; waits: WaitCounts }>()
const tenantOf = new Map<string, string>()
let end = async () => {}

async function start({ start: place, fair }: { start: StormPlace; fair: boolean }): Promise<void> {
  const { backend, close } = await openStormPlace(place)
  const { jobs } = createStormEngine(backend, { concurrency: CONCURRENCY, fair }, async ({ payload, key, jobId }) => {
    tenantOf.set(jobId, key!)
    await sleep(systemClock, payload.ms)
    if (payload.manner === 'failing') throw new Error('it never does')
  })
  listen(jobAttempt, ({ jobId, attempt, waitMs }) => {
    const name = tenantOf.get(jobId)!
    tenantOf.delete(jobId)
    const own = figures.get(name) ?? { attempts: 0, waits: new WaitCounts() }
    figures.set(name, own)
    own.attempts++
    if (attempt === 1) own.waits.add(waitMs)
  })
  await jobs.start()
  end = async () => {
    await jobs.stop()
    await close()
  }
}

answerPlans<StormOrder, StormLook>(async (order) => {
  if (order === 'stop') await end()
  else if (order !== 'look') await start(order)
  collectGarbage()
  const { heapUsed, rss } = process.memoryUsage()
  const told = [...figures].map(([name, { attempts, waits }]) => [name, { attempts, waits: waits.toList() }] as const)
  return { heap: heapUsed, rss, tenants: Object.fromEntries(told) }
})
