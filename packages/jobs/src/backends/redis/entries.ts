import type { RedisArgument } from '@tailwater/redis'
import type { NewJob } from '../../job.ts'
import { bodyOf } from './job_text.ts'

/** Jobs of one queue and priority that the script stores without a step for each. */
interface Group {
  tick: number
  queue: string
  priority: number
  args: string[]
}

/** A group's ids and bodies fit the stack of Lua's `unpack`. */
const LARGEST_GROUP = 1_000

/**
 * Jobs as arguments of a script: entries, with what precedes them (lua/adding.ts).
 *
 * Simple ones, which are available at once and have no key, children or unique key, are gathered into groups of one queue and priority. Jobs are served in the
 * order in which they were given: while their ids ascend they share a tick, within which they stand in the order of their ids, and the next one begins a new tick.
 */
export function entriesOf(jobs: readonly NewJob[]): RedisArgument[] {
  const entries: RedisArgument[] = []
  const groups = new Map<string, Group>()
  let count = 0
  let tick = 0
  let first = ''
  let last = ''
  let highest = ''

  function close(name: string): void {
    const group = groups.get(name)
    if (!group) return
    groups.delete(name)
    count++
    entries.push('group', group.tick, group.queue, group.priority, group.args.length / 2)
    for (const argument of group.args) entries.push(argument)
  }

  /** A job and all below it. */
  function add(job: NewJob, parent: string | undefined): void {
    note(job)
    count++
    entries.push('job', tick, ...entryOf(job, parent))
    for (const child of job.children ?? []) add(child, job.id)
  }

  function note(job: NewJob): void {
    if (job.id > highest) highest = job.id
    step(job)
  }

  function step({ id, delay, children }: NewJob): void {
    // What waits for something else has no place in the order yet.
    if (delay || children?.length) return
    if (id <= last) tick++
    first ||= id
    last = id
  }

  for (const job of jobs) {
    if (!isSimple(job)) {
      add(job, undefined)
      continue
    }
    note(job)
    const name = `${job.priority}:${job.queue}`
    let group = groups.get(name)
    if (group && (group.tick !== tick || group.args.length >= 2 * LARGEST_GROUP)) {
      close(name)
      group = undefined
    }
    group ??= { tick, queue: job.queue, priority: job.priority, args: [] }
    groups.set(name, group)
    group.args.push(job.id, bodyOf(job))
  }
  for (const name of [...groups.keys()]) close(name)
  return [count, first ? tick + 1 : 0, first, last, highest, ...entries]
}

function isSimple({ key, unique, delay, runAt, children }: NewJob): boolean {
  return key === undefined && !unique && !delay && runAt === undefined && !children
}

function entryOf(job: NewJob, parent: string | undefined): RedisArgument[] {
  const { queue, priority, id, delay = 0, runAt = 0, key = '', unique, children = [] } = job
  const isParent = children.length > 0
  return [
    ...[queue, priority, id, bodyOf(job, parent), linkOf(job, parent), delay, runAt, parent ?? '', key],
    ...[unique?.key ?? '', unique?.ttl ?? '', unique?.replace && !isParent ? 'replace' : '', isParent ? 'parent' : ''],
  ]
}

/** What scripts have to know of a job beside its place; empty for most. */
function linkOf({ key = '', unique, children = [], onChildFailure = 'fail' }: NewJob, parent = ''): string {
  const isParent = children.length > 0
  if (!unique && !isParent && !parent) return key && `k${key}`
  return JSON.stringify([parent, unique?.key ?? '', key, isParent ? onChildFailure : '', isParent])
}
