export type { RabbitMqCredentials, RabbitMqOptions } from './options.ts'
export { createRabbitMqBackend } from './rabbitmq_backend.ts'
