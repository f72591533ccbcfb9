import { type JobFilter, type JobState, jobStates } from '@tailwater/jobs'
import type { Call } from '../command_family.ts'
import { textOf, wrongOption } from '../option_values.ts'

/** Which jobs a command means. */
export function filterOf(call: Call, queue: string): JobFilter {
  const said = { kind: textOf(call, 'kind'), key: textOf(call, 'key'), tag: textOf(call, 'tag') }
  const given = Object.entries(said).filter(([, text]) => text !== undefined)
  return { queue, ...Object.fromEntries(given) }
}

/** @throws E_OPTIONS */
export function stateOf(text: string): JobState {
  const found = jobStates.find((state) => state === text)
  if (found) return found
  throw wrongOption('state', `one of ${jobStates.join(', ')}`, text)
}
