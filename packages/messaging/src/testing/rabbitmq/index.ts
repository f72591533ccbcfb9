export { startTcpProxy, type TcpProxy } from './tcp_proxy.ts'
export {
  startRabbitMq,
  type TestRabbitMq,
  type TestRabbitMqNode,
  type TestRabbitMqOptions,
} from './test_rabbitmq.ts'
export { createTestVhost, type TestVhost } from './test_vhost.ts'
