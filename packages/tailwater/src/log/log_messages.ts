import {
  type Cancel,
  type Logger,
  listen,
  messageBreaker,
  messageConsumer,
  messageDead,
  messageHandled,
  messagePublished,
  messageRequest,
} from '@tailwater/core'

const rounded = (ms: number) => Math.round(ms * 10) / 10
const failure = (error: Error | undefined) => (error ? { error: error.message } : {})

/** Log lines of messages: each delivery as a job's attempt has one, each dead letter, each breaker that changes. */
export function logMessages(logger: Logger): Cancel[] {
  return [
    listen(messagePublished, ({ requestId, exchange, topic, messageId, outcome, ms, error }) => {
      const fields = { requestId, exchange, topic, messageId, outcome, ms: rounded(ms), ...failure(error) }
      logger[outcome === 'confirmed' ? 'debug' : 'warn'](fields, 'message published')
    }),
    listen(messageHandled, ({ requestId, subscription, topic, messageId, attempt, outcome, waitMs, ms, error }) => {
      const waited = waitMs === undefined ? {} : { waitMs: rounded(waitMs) }
      const said = { requestId, subscription, topic, messageId, attempt, outcome }
      const fields = { ...said, ...waited, ms: rounded(ms), ...failure(error) }
      logger[outcome === 'retry' || outcome === 'lost' ? 'warn' : 'info'](fields, 'message')
    }),
    listen(messageDead, ({ requestId, subscription, topic, messageId, reason, error }) =>
      logger.error({ requestId, subscription, topic, messageId, reason, ...failure(error) }, 'dead letter'),
    ),
    listen(messageRequest, ({ requestId, topic, outcome, replies, ms, error }) => {
      const fields = { requestId, topic, outcome, replies, ms: rounded(ms), ...failure(error) }
      logger[outcome === 'timeout' || outcome === 'failed' ? 'warn' : 'debug'](fields, 'request for a reply')
    }),
    listen(messageBreaker, ({ policy, state, error }) =>
      logger[state === 'open' ? 'warn' : 'info']({ policy, state, ...failure(error) }, 'breaker'),
    ),
    listen(messageConsumer, ({ subscription, change, concurrency, cause }) =>
      logger[change === 'scaled' ? 'debug' : 'info']({ subscription, change, concurrency, cause }, 'consumer'),
    ),
  ]
}
