import { type Duration, TailwaterError } from '@tailwater/core'
import type { PublishOptions } from '@tailwater/messaging'
import type { Change } from '../../platform/command_changes.ts'
import type { Answer, Call } from '../command_family.ts'
import { listOf, textOf, wrongOption } from '../option_values.ts'
import type { MessagesTools } from './messages_tools.ts'

/** Puts dead letters back. */
export async function redrive({ messaging: { deadLetters } }: MessagesTools, call: Call): Promise<Answer> {
  const [subscription = '', ...ids] = call.words
  const text = textOf(call, 'body')
  if (text === undefined)
    return counted(await deadLetters.redrive(subscription, ids.length > 0 ? ids : undefined), 'put back', {
      action: 'deadLettersRedrive',
      target: subscription,
    })
  if (ids.length !== 1) throw new TailwaterError('E_OPTIONS', 'say which one letter is to have the new --body')
  const isDone = await deadLetters.redriveEdited(subscription, ids[0]!, { body: bodyOf(text) })
  return counted(isDone ? 1 : 0, 'put back with its new body', {
    action: 'deadLetterRedrive',
    target: `${subscription}/${ids[0]}`,
  })
}

/** Deletes dead letters. */
export async function purge({ messaging: { deadLetters } }: MessagesTools, call: Call): Promise<Answer> {
  const [subscription = '', ...ids] = call.words
  if (ids.length === 0 && call.options['all'] !== true)
    throw new TailwaterError('E_OPTIONS', 'say which: ids of letters, or --all')
  const count = await deadLetters.purge(subscription, ids.length > 0 ? ids : undefined)
  return counted(count, 'deleted', { action: 'deadLettersPurge', target: subscription })
}

/** Publishes a message to an exchange that is there. */
export async function publish({ messaging }: MessagesTools, call: Call): Promise<Answer> {
  const [name = '', topic = '', text = '{}'] = call.words
  const known = (await messaging.inspect.exchanges()).find((exchange) => exchange.name === name)
  if (!known)
    throw new TailwaterError('E_MESSAGE_EXCHANGE_UNKNOWN', `there is no exchange '${name}'`, { exchange: name })
  const exchange = messaging.exchange(name, { type: known.type })
  const id = await exchange.publish(topic, bodyOf(text), optionsOf(call))
  return {
    value: { id },
    lines: [`Published as ${id}.`],
    change: { action: 'messagePublish', target: name, fields: { topic, id } },
  }
}

function optionsOf(call: Call): PublishOptions {
  const said = {
    delay: textOf(call, 'delay') as Duration | undefined,
    ttl: textOf(call, 'ttl') as Duration | undefined,
    level: textOf(call, 'level') as PublishOptions['level'],
    id: textOf(call, 'id'),
  }
  const headers = Object.fromEntries(listOf(call, 'header').map(headerOf))
  const given = Object.entries(said).filter(([, text]) => text !== undefined)
  return { ...Object.fromEntries(given), headers }
}

function headerOf(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw wrongOption('header', 'NAME=VALUE', text)
  return [text.slice(0, at), text.slice(at + 1)]
}

function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TailwaterError('E_OPTIONS', `the body must be JSON, such as '{"orderId":1}'`, { cause })
  }
}

function counted(count: number, what: string, change: Omit<Change, 'fields'>): Answer {
  return {
    value: { count },
    lines: [`${count} ${count === 1 ? 'letter is' : 'letters are'} ${what}.`],
    change: { ...change, fields: { count } },
  }
}
