import { createRabbitMqBackend } from '@tailwater/messaging/rabbitmq'
import { createTestVhost } from '@tailwater/messaging/testing/rabbitmq'
import { merchantLine } from './merchant_line.ts'

merchantLine('RabbitMQ', async () => {
  const vhost = await createTestVhost()
  return { carrier: createRabbitMqBackend({ url: vhost.url }), close: () => vhost.close() }
})
