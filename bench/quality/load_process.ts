// The load of the quality checks in a process of its own.
import { answerPlans } from '../harness/side_process.ts'
import { runOpenLoop } from './open_loop.ts'

answerPlans(runOpenLoop)
