import { hasCode, TailwaterError } from '@tailwater/core'
import { jobStates } from '@tailwater/jobs'
import type { Answer, Call } from '../command_family.ts'
import { numberOf, textOf } from '../option_values.ts'
import { moment, table } from '../table.ts'
import { filterOf, stateOf } from './job_options.ts'
import { existingQueue, type JobsTools } from './jobs_tools.ts'

/** How the queues do. */
export async function stats(tools: JobsTools, { words }: Call): Promise<Answer> {
  const names = words[0] === undefined ? await tools.jobs.inspect.queues() : [words[0]]
  const list = []
  for (const name of names) list.push(await (await existingQueue(tools, name)).stats())
  const rows = list.map(({ queue, paused, counts, wait, run }) => [
    paused ? `${queue} (paused)` : queue,
    ...jobStates.map((state) => counts[state]),
    durationOf(wait?.p95),
    durationOf(run?.p95),
  ])
  return {
    value: { queues: list },
    lines: list.length > 0 ? table(['queue', ...jobStates, 'wait p95', 'run p95'], rows) : ['There are no queues yet.'],
  }
}

/** Milliseconds with three digits of them, or nothing. */
const durationOf = (ms: number | undefined) => (ms === undefined ? '' : `${Number(ms.toPrecision(3))} ms`)

/** Jobs of a queue. */
export async function list(tools: JobsTools, call: Call): Promise<Answer> {
  const [queue = ''] = call.words
  await existingQueue(tools, queue)
  const state = textOf(call, 'state')
  const text = textOf(call, 'search')
  const cursor = textOf(call, 'cursor')
  const limit = numberOf(call, 'limit', { least: 1, most: 1_000, standard: 50 })
  const filter = {
    ...filterOf(call, queue),
    ...(state === undefined ? {} : { states: [stateOf(state)] }),
    ...(text === undefined ? {} : { text }),
  }
  const { jobs, next } = await tools.jobs.inspect
    .list(filter, { limit, ...(cursor === undefined ? {} : { cursor }) })
    .catch(withCursorNamed)
  const rows = jobs.map((job) => [
    job.id,
    job.kind,
    job.state,
    job.attempt,
    moment(job.enqueuedAt),
    job.error?.split('\n')[0]?.slice(0, 60) ?? '',
  ])
  return {
    value: { jobs, next: next ?? null },
    lines: [
      ...(jobs.length > 0
        ? table(['id', 'kind', 'state', 'attempt', 'enqueued (UTC)', 'error'], rows)
        : ['There is no such job.']),
      ...(next === undefined ? [] : [`There are more: --cursor ${next}`]),
    ],
  }
}

/** What a store says of a text that it never gave out, in the words of the command. */
function withCursorNamed(error: unknown): never {
  if (!hasCode(error, 'E_OPTIONS') || !error.message.startsWith('the cursor of a page')) throw error
  throw new TailwaterError('E_OPTIONS', '--cursor must be one that this command printed', { cause: error })
}
