import { type Service, startAll, stopAll } from '@tailwater/core'
import { createMessaging, type Messaging, type MessagingBackend } from '@tailwater/messaging'
import { createRabbitMqBackend } from '@tailwater/messaging/rabbitmq'
import { createRedisMessaging } from '@tailwater/messaging/redis'
import { createRedis } from '@tailwater/redis'
import { type ResolvedConfig, resolveConfig, type TailwaterConfig } from '../../config.ts'
import { openGround, type Progress } from '../../platform/ground.ts'
import { carrierOf, openMessaging } from '../../platform/messaging.ts'
import type { Terminal } from '../terminal.ts'

/** What the commands of messages work with. */
export interface MessagesTools {
  /** Started, but it subscribes to nothing. */
  messaging: Messaging
}

/** Opens what carries the messages of a configuration. */
export async function openMessagesTools(given: TailwaterConfig, { complain }: Terminal) {
  const config = resolveConfig(given)
  const { messaging, below } = await open(config, complain)
  const services = [...below, messaging]
  const close = () => stopAll(services)
  try {
    await startAll(services)
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
  return { tools: { messaging }, close }
}

/** With messages in Redis or RabbitMQ the database is left alone. */
async function open(
  config: ResolvedConfig,
  progress: Progress,
): Promise<{ messaging: Messaging; below: readonly Service[] }> {
  const { clock, amqpUrl } = config
  const { redact, maxBody, prefix } = config.messaging
  const on = (backend: MessagingBackend) => createMessaging({ backend, redact, maxBody, clock })
  const carrier = carrierOf(config)
  if (carrier === 'rabbitmq')
    return { messaging: on(createRabbitMqBackend({ url: amqpUrl!, prefix, clock })), below: [] }
  if (carrier === 'redis') {
    const redis = createRedis({ url: config.redisUrl!, name: config.name, clock })
    return { messaging: on(createRedisMessaging({ redis, clock })), below: [redis] }
  }
  const ground = await openGround(config, progress)
  const below = [...(ground.embedded ? [ground.embedded] : []), ground.database, ground.outbox, ground.bus]
  return { messaging: openMessaging(config, ground), below }
}
