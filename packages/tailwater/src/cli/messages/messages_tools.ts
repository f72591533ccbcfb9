import { optionsError, type Service } from '@tailwater/core'
import { createMessaging, type Messaging, type MessagingBackend } from '@tailwater/messaging'
import { createRabbitMqBackend } from '@tailwater/messaging/rabbitmq'
import { createRedisMessaging } from '@tailwater/messaging/redis'
import { createRedis } from '@tailwater/redis'
import { type ResolvedConfig, resolveConfig, type TailwaterConfig } from '../../config.ts'
import { openGround, type Progress } from '../../platform/ground.ts'
import { carrierOf, openMessaging } from '../../platform/messaging.ts'
import type { ChangeLedger } from '../change_record.ts'
import { type Opened, started } from '../command_family.ts'
import type { Terminal } from '../terminal.ts'

/** What the commands of messages work with. */
export interface MessagesTools {
  /** Started, but it subscribes to nothing. */
  messaging: Messaging
}

/** What carries the messages, and what it stands on. */
interface Carrier {
  messaging: Messaging
  below: readonly Service[]
  ledger: ChangeLedger | undefined
}

/** Opens what carries the messages of a configuration. */
export async function openMessagesTools(
  given: TailwaterConfig,
  { complain }: Terminal,
): Promise<Opened<MessagesTools>> {
  const { messaging, below, ledger } = await open(resolveConfig(given), complain)
  const close = await started([...below, messaging])
  return { tools: { messaging }, ledger, close }
}

/** With messages in Redis or RabbitMQ the database is left alone. */
async function open(config: ResolvedConfig, progress: Progress): Promise<Carrier> {
  const { clock, amqpUrl } = config
  const { redact, maxBody, prefix } = config.messaging
  const on = (backend: MessagingBackend) => createMessaging({ backend, redact, maxBody, clock })
  const carrier = carrierOf(config)
  if (carrier === 'memory')
    throw optionsError(
      'config.jobs.store',
      "'postgres' or 'redis': what is in the memory of a process no other can see",
      carrier,
    )
  if (carrier === 'rabbitmq') {
    const backend = createRabbitMqBackend({ url: amqpUrl!, prefix, clock })
    return { messaging: on(backend), below: [], ledger: undefined }
  }
  if (carrier === 'redis') {
    const redis = createRedis({ url: config.redisUrl!, name: config.name, clock })
    return { messaging: on(createRedisMessaging({ redis, clock })), below: [redis], ledger: undefined }
  }
  const ground = await openGround(config, progress)
  const below = [...(ground.embedded ? [ground.embedded] : []), ground.database, ground.outbox, ground.bus]
  return { messaging: openMessaging(config, ground), below, ledger: ground }
}
