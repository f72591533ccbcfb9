import { hasCode, TailwaterError } from '@tailwater/core'
import type { Answer, Call } from '../command_family.ts'
import { numberOf, textOf } from '../option_values.ts'
import { moment, table } from '../table.ts'
import type { MessagesTools } from './messages_tools.ts'

/** What there is to publish to. */
export async function exchanges({ messaging }: MessagesTools): Promise<Answer> {
  const all = await messaging.inspect.exchanges()
  const rows = all.map(({ name, type }) => [name, type])
  return {
    value: { exchanges: all },
    lines: all.length > 0 ? table(['exchange', 'type'], rows) : ['There are no exchanges yet.'],
  }
}

/** How the subscriptions do. */
export async function subscriptions({ messaging }: MessagesTools): Promise<Answer> {
  const all = await messaging.inspect.subscriptions()
  const rows = all.map(({ name, bindings, waiting, unsettled, dead, oldest }) => [
    name,
    bindings.map(({ exchange, pattern }) => (pattern === '' ? exchange : `${exchange}:${pattern}`)).join(' '),
    waiting,
    unsettled ?? '-',
    dead,
    oldest === undefined ? '-' : `${Math.round(oldest / 1_000)} s`,
  ])
  return {
    value: { subscriptions: all },
    lines:
      all.length > 0
        ? table(['subscription', 'bound to', 'waiting', 'unsettled', 'dead', 'oldest'], rows)
        : ['There are no subscriptions yet.'],
  }
}

/** Dead letters of a subscription, or one of them with what was tried. */
export async function dead(tools: MessagesTools, call: Call): Promise<Answer> {
  const [subscription = '', id] = call.words
  return id === undefined ? letters(tools, subscription, call) : letter(tools, subscription, id)
}

async function letters(
  { messaging: { deadLetters } }: MessagesTools,
  subscription: string,
  call: Call,
): Promise<Answer> {
  const cursor = textOf(call, 'cursor')
  const limit = numberOf(call, 'limit', { least: 1, most: 500, standard: 50 })
  const page = await deadLetters
    .list(subscription, { limit, ...(cursor === undefined ? {} : { cursor }) })
    .catch(withCursorNamed)
  const rows = page.letters.map(({ id, message, reason, notes, diedAt }) => [
    id,
    message.topic,
    reason,
    notes.length,
    moment(diedAt),
    notes.at(-1)?.error.split('\n')[0]?.slice(0, 60) ?? '',
  ])
  return {
    value: { letters: page.letters.map((one) => deadLetters.show(one)), next: page.cursor ?? null },
    lines: [
      ...(rows.length > 0
        ? table(['id', 'topic', 'reason', 'attempts', 'died (UTC)', 'error'], rows)
        : [`'${subscription}' has no dead letters.`]),
      ...(page.cursor === undefined ? [] : [`There are more: --cursor ${page.cursor}`]),
    ],
  }
}

async function letter(
  { messaging: { deadLetters } }: MessagesTools,
  subscription: string,
  id: string,
): Promise<Answer> {
  const found = await deadLetters.get(subscription, id)
  if (!found) throw new TailwaterError('E_LETTER_NOT_FOUND', `there is no dead letter ${id} of '${subscription}'`)
  const view = deadLetters.show(found)
  return {
    value: view,
    lines: [
      `${view.topic} of ${view.exchange || 'nobody we know'}, message ${view.messageId}, ${view.reason}`,
      `body ${JSON.stringify(view.body)}`,
      ...view.notes.map(
        ({ attempt, at, error, code }) => `attempt ${attempt} at ${moment(at)}: ${code ?? 'Error'}: ${error}`,
      ),
    ],
  }
}

/** What a store says of a text that it never gave out. */
function withCursorNamed(error: unknown): never {
  if (!hasCode(error, 'E_QUERY') && !hasCode(error, 'E_REDIS_COMMAND')) throw error
  throw new TailwaterError('E_OPTIONS', '--cursor must be one that this command printed', { cause: error })
}
