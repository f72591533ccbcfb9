import { type Duration, TailwaterError } from '@tailwater/core'
import type { JobOptions, Priority } from '@tailwater/jobs'
import type { Answer, Call } from '../command_family.ts'
import { listOf, numberOf, textOf } from '../option_values.ts'
import { existingQueue, type JobsTools } from './jobs_tools.ts'

/** Stores a job of a kind that this process need not know. */
export async function add(tools: JobsTools, call: Call): Promise<Answer> {
  const [queue = '', kind = '', text = '{}'] = call.words
  await existingQueue(tools, queue)
  const stored = await tools.jobs.operate.add({ kind, payload: payloadOf(text), options: optionsOf(call) }, { queue })
  return {
    value: stored,
    lines: [`Stored as ${stored.id}.`],
    change: { action: 'queueAdd', target: queue, fields: { kind, jobId: stored.id } },
  }
}

function payloadOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TailwaterError('E_OPTIONS', `the payload must be JSON, such as '{"orderId":1}'`, { cause })
  }
}

function optionsOf(call: Call): JobOptions {
  const delay = textOf(call, 'delay')
  const priority = textOf(call, 'priority')
  const key = textOf(call, 'key')
  const tags = listOf(call, 'tag')
  const attempts = textOf(call, 'attempts')
  return {
    ...(delay === undefined ? {} : { delay: delay as Duration }),
    ...(priority === undefined ? {} : { priority: priorityOf(priority) }),
    ...(key === undefined ? {} : { key }),
    ...(tags.length > 0 ? { tags } : {}),
    ...(attempts === undefined ? {} : { attempts: numberOf(call, 'attempts', { least: 1, most: 1_000, standard: 1 }) }),
  }
}

/** A number or a word; the engine knows which words. */
const priorityOf = (text: string): Priority => (/^\d+$/.test(text) ? Number(text) : (text as Priority))
