// One cache library in a process of its own: runs the rounds that it is sent. Its argument names the library.
import { answerPlans } from '../../harness/side_process.ts'
import type { EnginePlan, EngineRound, StampedePlan, StampedeRound } from './engine_plan.ts'
import { EngineStage } from './engine_stage.ts'
import { findEngine } from './engines.ts'
import { stampede } from './stampede.ts'

const kind = findEngine(process.argv[2]!)
let stage: EngineStage | undefined
/** Open over all rounds, as in a process that serves. */
const stampeding = new Map<string | undefined, ReturnType<typeof kind.open>>()

answerPlans<EnginePlan | StampedePlan | 'close', EngineRound | StampedeRound | undefined>(async (plan) => {
  if (plan === 'close') {
    await stage?.close()
    for (const engine of stampeding.values()) await (await engine).close()
    return undefined
  }
  if ('stampede' in plan) {
    const { redisUrl } = plan
    const engine = stampeding.get(redisUrl) ?? kind.open({ redisUrl, nearEntries: 10_000 })
    stampeding.set(redisUrl, engine)
    return stampede(await engine, plan.stampede)
  }
  stage ??= await EngineStage.open(kind, plan)
  return stage.run(plan)
})
