import { type Duration, isUuid, TailwaterError } from '@tailwater/core'
import { finalStates } from '@tailwater/jobs'
import type { Change } from '../../platform/command_changes.ts'
import type { Answer, Call } from '../command_family.ts'
import { listOf, textOf } from '../option_values.ts'
import { filterOf, stateOf } from './job_options.ts'
import { existingQueue, type JobsTools } from './jobs_tools.ts'

/** Begins no more jobs of a queue. */
export async function pause(tools: JobsTools, { words: [name = ''] }: Call): Promise<Answer> {
  await (await existingQueue(tools, name)).pause()
  return {
    value: { queue: name, paused: true },
    change: { action: 'queuePause', target: name, fields: {} },
    lines: [`'${name}' is paused: what runs goes on, and nothing begins.`],
  }
}

/** Begins them again. */
export async function resume(tools: JobsTools, { words: [name = ''] }: Call): Promise<Answer> {
  await (await existingQueue(tools, name)).resume()
  return {
    value: { queue: name, paused: false },
    lines: [`'${name}' goes on.`],
    change: { action: 'queueResume', target: name, fields: {} },
  }
}

/** Makes one job available, or all failed ones of a queue. */
export async function retry(tools: JobsTools, call: Call): Promise<Answer> {
  const [id] = call.words
  const queue = textOf(call, 'queue')
  if ((id === undefined) === (queue === undefined))
    throw new TailwaterError('E_OPTIONS', 'say which: the id of a job, or --queue')
  if (queue !== undefined) {
    const count = await (await existingQueue(tools, queue)).redrive({ states: ['dead', 'retryable'] })
    return counted(count, 'available again', ['queueRetryFailed', queue])
  }
  const { jobs } = tools
  const job = isUuid(id!) ? await jobs.inspect.get(id!) : undefined
  if (!job) throw new TailwaterError('E_JOB_NOT_FOUND', `there is no job ${id}`)
  if (!(await jobs.operate.retry(job.id)))
    throw new TailwaterError('E_JOB_STATE', `the job ${id} is ${job.state}, and cannot be retried`)
  return counted(1, 'available again', ['jobRetry', job.id])
}

/** Deletes jobs by state and age. */
export async function clean(tools: JobsTools, call: Call): Promise<Answer> {
  const queue = await existingQueue(tools, call.words[0] ?? '')
  const given = listOf(call, 'state').map(stateOf)
  const states = given.length > 0 ? given : finalStates
  if (states.includes('running')) throw new TailwaterError('E_JOB_STATE', 'jobs that run cannot be deleted')
  const count = await queue.clean(states, (textOf(call, 'age') ?? '0s') as Duration)
  return counted(count, 'deleted', ['queueClean', queue.name], { states })
}

/** Makes dead jobs available again. */
export async function redrive(tools: JobsTools, call: Call): Promise<Answer> {
  const { name } = await existingQueue(tools, call.words[0] ?? '')
  const to = textOf(call, 'to')
  if (to !== undefined) await existingQueue(tools, to)
  const count = await tools.jobs.operate.redrive(filterOf(call, name), to === undefined ? {} : { to })
  const what = to === undefined ? 'available again' : `available in '${to}'`
  return counted(count, what, ['queueRedrive', name], to === undefined ? {} : { to })
}

function counted(
  count: number,
  what: string,
  [action, target]: readonly [action: string, target: string],
  fields: Change['fields'] = {},
): Answer {
  return {
    value: { count },
    lines: [`${count} ${count === 1 ? 'job is' : 'jobs are'} ${what}.`],
    change: { action, target, fields: { count, ...fields } },
  }
}
