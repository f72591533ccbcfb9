import { systemClock } from '@tailwater/core'
import type { MessagingBackend } from '../../src/backend.ts'
import { createRabbitMqBackend, type RabbitMqOptions } from '../../src/backends/rabbitmq/index.ts'
import type { MessagingGround } from '../../src/testing/index.ts'
import { createTestVhost, startTcpProxy, type TcpProxy } from '../../src/testing/rabbitmq/index.ts'

/** A virtual host for the contract: every backend has a proxy of its own, so that it can die without a goodbye. */
export async function rabbitMqGround(options: RabbitMqOptions = {}): Promise<MessagingGround> {
  const vhost = await createTestVhost()
  const proxies = new Map<MessagingBackend, TcpProxy>()
  return {
    async open() {
      const url = new URL(vhost.url)
      const proxy = await startTcpProxy(Number(url.port))
      url.port = String(proxy.port)
      const backend = createRabbitMqBackend({ delayStep: 50, ...options, url: url.href })
      proxies.set(backend, proxy)
      await backend.start()
      return backend
    },
    async crash(backend) {
      proxies.get(backend)!.refuse()
      void backend.stop(systemClock.elapsed()).catch(() => {})
    },
    async close() {
      for (const proxy of proxies.values()) await proxy.close()
      await vhost.close()
    },
  }
}
