// A process of its own that makes load: runs each plan it is sent and answers with the outcome.
import { LoadRun } from './load_run.ts'
import type { LoadPlan } from './plan.ts'

process.on('message', (plan: LoadPlan) => {
  new LoadRun(plan).run().then(
    (outcome) => process.send!({ outcome }),
    (error: Error) => process.send!({ error: error.message }),
  )
})
// The bench has gone, however it went.
process.on('disconnect', () => process.exit(0))
