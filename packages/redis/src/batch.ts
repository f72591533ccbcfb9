import { type Call, keyOf, queueCall } from './call.ts'
import type { RedisClient } from './client.ts'
import { replyWord } from './failure.ts'
import { keySlot } from './key_slot.ts'

/** What became of one call of a batch. */
export type CallOutcome = { reply: unknown } | { error: unknown }

/**
 * Sends calls together: one pipeline, or in a cluster one for each group of nodes that serves their slots.
 *
 * Scripts go by their hash. Those that a server does not know (after a restart, a failover or SCRIPT FLUSH) are sent again by
 * their text in a second round; the first did nothing for them. Calls to one node keep their order within a round.
 */
export async function sendBatch(client: RedisClient, calls: readonly Call[]): Promise<CallOutcome[]> {
  const outcomes = new Array<CallOutcome>(calls.length)
  await sendRound(client, calls, calls.keys(), 'hash', outcomes)
  const unknown = outcomes.flatMap((outcome, index) =>
    'error' in outcome && replyWord(outcome.error) === 'NOSCRIPT' ? [index] : [],
  )
  if (unknown.length > 0) await sendRound(client, calls, unknown, 'text', outcomes)
  return outcomes
}

async function sendRound(
  client: RedisClient,
  calls: readonly Call[],
  indexes: Iterable<number>,
  by: 'hash' | 'text',
  outcomes: CallOutcome[],
): Promise<void> {
  const groups = groupByNode(client, calls, indexes)
  await Promise.all(
    groups.map(async (group) => {
      const pipeline = client.pipeline()
      for (const index of group) queueCall(pipeline, calls[index]!, by)
      const replies = await pipeline
        .exec()
        .catch((error: unknown) => group.map((): [unknown, unknown] => [error, undefined]))
      group.forEach((index, position) => {
        const [error, reply] = replies?.[position] ?? [new Error('the pipeline was aborted'), undefined]
        outcomes[index] = error ? { error } : { reply }
      })
    }),
  )
}

/** Positions of calls by the nodes that serve them; a client without slots is one node. */
function groupByNode(client: RedisClient, calls: readonly Call[], indexes: Iterable<number>): number[][] {
  if (!client.isCluster) return [[...indexes]]
  const groups = new Map<string, number[]>()
  for (const index of indexes) {
    const key = keyOf(calls[index]!)
    // ioredis refuses a pipeline over slots of different masters; a slot nobody serves yet is a group of its own.
    const slot = key === undefined ? 0 : keySlot(key)
    const nodes = client.slots?.[slot]?.join(';') ?? `slot ${slot}`
    const group = groups.get(nodes)
    if (group) group.push(index)
    else groups.set(nodes, [index])
  }
  return [...groups.values()]
}
