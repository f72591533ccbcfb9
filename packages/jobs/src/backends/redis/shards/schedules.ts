import type { SchedulePort, StoredSchedule } from '../../../backend/schedule_port.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'

/** Where schedules stand whose definition names no queue. */
const NOWHERE = 'default'

/**
 * Schedules beside the queue that their jobs go to, so that to fire one stays a single step. One whose queue has changed moves over when it is put, or at the latest when it fires.
 */
export function shardedSchedules(shards: Shards): SchedulePort {
  async function holder(name: string): Promise<{ shard: Shard; schedule: StoredSchedule } | undefined> {
    return shards.first(
      async (shard) => {
        const schedule = (await shard.schedules.list()).find((one) => one.name === name)
        return schedule && { shard, schedule }
      },
      (found) => found !== undefined,
    )
  }

  /** Puts a schedule that stands elsewhere into a shard, as it is, and takes it away there. Done by two at once it is done once. */
  async function bring(name: string, to: Shard): Promise<void> {
    const found = await holder(name)
    if (!found || found.shard === to) return
    const { definition, nextAt, paused } = found.schedule
    await to.schedules.put({ name, definition, nextAt })
    if (paused) await to.schedules.setPaused(name, true)
    await found.shard.schedules.remove(name)
  }

  return {
    async put(schedule) {
      const shard = await shards.toWrite(queueOf(schedule.definition))
      await bring(schedule.name, shard)
      await shard.schedules.put(schedule)
    },
    remove: (name) => shards.anywhere(({ schedules }) => schedules.remove(name)),
    setPaused: (name, paused, nextAt) =>
      shards.anywhere(({ schedules }) => schedules.setPaused(name, paused, ...(nextAt === undefined ? [] : [nextAt]))),
    async list() {
      const all = await Promise.all((await shards.all()).map(({ schedules }) => schedules.list()))
      return all.flat().sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    async due(limit) {
      const asked = await shards.all()
      const answers = await Promise.all(
        (asked.length > 0 ? asked : [shards.of(NOWHERE)]).map(({ schedules }) => schedules.due(limit)),
      )
      const due = answers.flatMap(({ schedules }) => schedules).sort((a, b) => a.nextAt! - b.nextAt!)
      return { now: Math.max(...answers.map(({ now }) => now)), schedules: due.slice(0, limit) }
    },
    async fire(name, expected, next, jobs) {
      const [job] = jobs
      if (!job) return shards.anywhere(({ schedules }) => schedules.fire(name, expected, next, []))
      const shard = await shards.toWrite(job.queue)
      await bring(name, shard)
      return shard.schedules.fire(name, expected, next, jobs)
    },
  }
}

/** The engine's definitions name the job that they are for (schedule/definition.ts). */
function queueOf(definition: string): string {
  try {
    const { job } = JSON.parse(definition) as { job?: { queue?: unknown } }
    return typeof job?.queue === 'string' ? job.queue : NOWHERE
  } catch {
    return NOWHERE
  }
}
