import { newId } from '@tailwater/core'
import { askManagement, sharedRabbitMq } from './shared_rabbitmq.ts'

/** A virtual host of the shared broker, which one suite has to itself. */
export interface TestVhost {
  /** With the virtual host. */
  readonly url: string
  readonly vhost: string
  readonly managementUrl: string
  /** Calls the management API: `ask('GET', 'queues/{vhost}/orders')`; `{vhost}` stands for its name. */
  ask(method: string, path: string, body?: unknown): Promise<unknown>
  close(): Promise<void>
}

/**
 * Makes a virtual host in the broker that tests share, which is started if it does not run.
 *
 * @example
 * const ground = await createTestVhost()
 * after(() => ground.close())
 */
export async function createTestVhost(): Promise<TestVhost> {
  const { url, managementUrl } = await sharedRabbitMq()
  const vhost = `test-${newId()}`
  const ask = (method: string, path: string, body?: unknown) =>
    askManagement(managementUrl, method, path.replace('{vhost}', encodeURIComponent(vhost)), body)
  await ask('PUT', 'vhosts/{vhost}', {})
  await ask('PUT', 'permissions/{vhost}/guest', { configure: '.*', write: '.*', read: '.*' })
  return {
    url: `${url}/${vhost}`,
    vhost,
    managementUrl,
    ask,
    async close() {
      await ask('DELETE', 'vhosts/{vhost}')
    },
  }
}
