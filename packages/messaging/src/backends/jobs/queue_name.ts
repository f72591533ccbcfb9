import type { SubscriptionSpec } from '../../backend/topology_port.ts'
import { type Level, levels } from '../../message.ts'

/** Before the names of the queues of subscriptions, so that they stand together, and apart from an application's own. */
const PREFIX = 'messages-'

/** One queue of a subscription. */
export interface LevelQueue {
  readonly queue: string
  readonly level: Level
}

/** The queues of a subscription, the highest level first; the lowest has no suffix, and so stays where it is when further levels are kept apart. */
export function queuesOf({ name, levels: kept }: Pick<SubscriptionSpec, 'name' | 'levels'>): LevelQueue[] {
  const ordered = levels.filter((level) => kept.includes(level))
  const all = ordered.length === 0 ? (['normal'] as const) : ordered
  return all.map((level, index) => ({
    level,
    queue: index === all.length - 1 ? `${PREFIX}${name}` : `${PREFIX}${name}.${level}`,
  }))
}

/** Every queue that a subscription of this name may ever have had. */
export function possibleQueues(name: string): string[] {
  return queuesOf({ name, levels }).map(({ queue }) => queue)
}

/** The queue of a message's level: its own, the nearest lower one, or the lowest. */
export function queueOfLevel(queues: readonly LevelQueue[], level: Level): string {
  if (queues.length === 1) return queues[0]!.queue
  const rank = levels.indexOf(level)
  return (queues.find(({ level: kept }) => levels.indexOf(kept) >= rank) ?? queues.at(-1)!).queue
}
