/** Where to connect to, without credentials. */
export interface AmqpAddress {
  readonly protocol: 'amqp' | 'amqps'
  readonly hostname: string
  readonly port: number
  readonly vhost: string
}
