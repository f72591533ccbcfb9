import { hasCode, toError } from '@tailwater/core'
import { eachItem } from '../connector/each_item.ts'
import type { Connection } from './connection.ts'
import type { PushParts } from './listing_push.ts'

interface Answer {
  externalId: string
  outcome: 'accepted' | 'refused'
  reason: string | null
  orderIds: number[]
}

/** Tells a marketplace which of its orders we deliver, and which not and why. What it does not want to hear is noted, and not said again. */
export async function pushAnswers(parts: PushParts, connection: Connection, signal: AbortSignal): Promise<void> {
  const { database, statements } = parts
  const { rows } = await database.query<Answer>(statements.unanswered, [connection.id])
  await eachItem(rows, async (answer) => {
    const objection = await say(connection, answer, signal)
    await database.query(statements.answered, [connection.id, answer.externalId, objection ?? null])
  })
}

async function say({ connector }: Connection, answer: Answer, signal: AbortSignal): Promise<string | undefined> {
  const { externalId, outcome, reason, orderIds } = answer
  try {
    if (outcome === 'accepted') await connector.confirm(externalId, orderIds.join(', '), { signal })
    else await connector.reject(externalId, reason ?? 'cannot be delivered', { signal })
    return undefined
  } catch (error) {
    if (hasCode(error, 'E_MARKETPLACE_REFUSED')) return toError(error).message
    throw error
  }
}
