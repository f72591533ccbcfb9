// One cache in memory, in a process of its own: runs the rounds that it is sent. Its argument names the cache; `memory` as a plan asks what an entry takes.
import { answerPlans } from '../../harness/side_process.ts'
import { bytesPerEntry } from './entry_memory.ts'
import { ENTRIES, flatKey, idsOf, type NearPlan, type NearRound, works } from './near_plan.ts'
import type { CreateSubject, Subject } from './subject.ts'
import { findSubject } from './subjects.ts'

interface Stage {
  subject: Subject
  ids: Uint32Array
  keys: readonly string[]
  idSum: number
}

const kind: CreateSubject = await findSubject(process.argv[2]!)
let stage: Stage | undefined

answerPlans<NearPlan | 'memory', NearRound | number>((plan) => {
  if (plan === 'memory') return bytesPerEntry(kind.create)
  stage ??= stageOf(plan)
  return runRound(stage, plan)
})

function stageOf(plan: NearPlan): Stage {
  const ids = idsOf(plan)
  const keys = Array.from({ length: works[plan.work].keys }, (_, id) => flatKey(id))
  return { subject: kind.create(ENTRIES), ids, keys, idSum: ids.reduce((total, id) => total + id, 0) }
}

/** @throws when something is not as it should be */
function runRound({ subject, ids, keys, idSum }: Stage, { isKeyBuilt }: NearPlan): NearRound {
  const cpuBefore = process.cpuUsage()
  const before = performance.now()
  const asked = isKeyBuilt ? subject.askBuilt(ids) : subject.askReady(ids, keys)
  const seconds = (performance.now() - before) / 1_000
  const { user, system } = process.cpuUsage(cpuBefore)
  if (asked.idSum !== idSum) throw new Error(`the values belong to other keys: ${asked.idSum} in place of ${idSum}`)
  if (subject.size > ENTRIES) throw new Error(`${subject.size} entries where there is room for ${ENTRIES}`)
  const cpuSeconds = (user + system) / 1_000_000
  return { perSecond: ids.length / seconds, perCpuSecond: ids.length / cpuSeconds, hitShare: asked.hits / ids.length }
}
