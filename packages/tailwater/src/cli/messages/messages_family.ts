import type { CommandFamily } from '../command_family.ts'
import { publish, purge, redrive } from './messages_changes.ts'
import { dead, exchanges, subscriptions } from './messages_content.ts'
import { type MessagesTools, openMessagesTools } from './messages_tools.ts'

/** Letters of one call at most. */
const MANY = 1_000

/** `tailwater messages …` */
export const messagesFamily: CommandFamily<MessagesTools> = {
  name: 'messages',
  open: openMessagesTools,
  commands: {
    exchanges: { usage: '', says: 'what there is to publish to', words: [0, 0], run: exchanges },
    subscriptions: { usage: '', says: 'who gets what, and what waits', words: [0, 0], run: subscriptions },
    dead: {
      usage: '<SUBSCRIPTION> [LETTER] [--limit N] [--cursor C]',
      says: 'dead letters of a subscription, or one with what was tried',
      words: [1, 2],
      options: { limit: { type: 'string' }, cursor: { type: 'string' } },
      run: dead,
    },
    redrive: {
      usage: '<SUBSCRIPTION> [LETTER]… [--body JSON]',
      says: 'puts dead letters back, all without names; one with another body',
      words: [1, MANY],
      options: { body: { type: 'string' } },
      run: redrive,
    },
    purge: {
      usage: '<SUBSCRIPTION> <LETTER>… | --all',
      says: 'deletes dead letters',
      words: [1, MANY],
      options: { all: { type: 'boolean' } },
      run: purge,
    },
    publish: {
      usage: '<EXCHANGE> <TOPIC> [BODY] [--delay 5m] [--ttl 1h] [--level high] [--header NAME=VALUE]… [--id ID]',
      says: 'publishes a message; its body is JSON',
      words: [2, 3],
      options: {
        delay: { type: 'string' },
        ttl: { type: 'string' },
        level: { type: 'string' },
        header: { type: 'string', multiple: true },
        id: { type: 'string' },
      },
      run: publish,
    },
  },
}
