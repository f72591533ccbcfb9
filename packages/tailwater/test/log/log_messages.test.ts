import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  messageBreaker,
  messageConsumer,
  messageDead,
  messageHandled,
  messagePublished,
  messageRequest,
} from '@tailwater/core'
import { logMessages } from '../../src/log/log_messages.ts'
import { capturedLog, type Line } from './captured_log.ts'

const broken = new Error('broken')
const message = { requestId: 'r1', exchange: 'orders', topic: 'order.placed', messageId: 'm' }
const handled = { ...message, subscription: 'billing', attempt: 1, waitMs: 1.26, ms: 2, error: undefined }
const request = { requestId: 'r1', topic: 'quote', correlationId: 'c', replies: 1, ms: 1, error: undefined }

const cases: [title: string, publish: () => void, level: Line['level'], text: string][] = [
  [
    'a message that is kept',
    () => messagePublished.publish({ ...message, outcome: 'confirmed', ms: 1, error: undefined }),
    'debug',
    'message published',
  ],
  [
    'a message that nobody gets',
    () => messagePublished.publish({ ...message, outcome: 'unroutable', ms: 1, error: undefined }),
    'warn',
    'message published',
  ],
  ['a message handled', () => messageHandled.publish({ ...handled, outcome: 'done' }), 'info', 'message'],
  [
    'a message to be tried again',
    () => messageHandled.publish({ ...handled, outcome: 'retry', error: broken }),
    'warn',
    'message',
  ],
  [
    'a dead letter',
    () => messageDead.publish({ ...message, subscription: 'billing', reason: 'attempts', error: broken }),
    'error',
    'dead letter',
  ],
  ['an answer', () => messageRequest.publish({ ...request, outcome: 'answered' }), 'debug', 'request for a reply'],
  [
    'no answer',
    () => messageRequest.publish({ ...request, outcome: 'timeout', error: broken }),
    'warn',
    'request for a reply',
  ],
  [
    'a breaker that opens',
    () => messageBreaker.publish({ policy: 'provider', state: 'open', error: broken }),
    'warn',
    'breaker',
  ],
  [
    'a breaker that closes',
    () => messageBreaker.publish({ policy: 'provider', state: 'closed', error: undefined }),
    'info',
    'breaker',
  ],
  [
    'a consumer that pauses',
    () => messageConsumer.publish({ subscription: 'billing', change: 'paused', concurrency: 3, cause: 'breaker' }),
    'info',
    'consumer',
  ],
]

for (const [title, publish, level, text] of cases)
  it(`${title} is a line at level ${level}`, () => {
    const { lines, logger } = capturedLog()
    const ends = logMessages(logger)
    publish()
    for (const end of ends) end()
    publish()
    assert.deepEqual(
      lines.map((line) => [line.level, line.message]),
      [[level, text]],
    )
  })
