import type { ResolvedRabbitMqOptions } from './options.ts'

/** What the management API tells of a queue. */
export interface QueueFigures {
  readonly name: string
  readonly messages_ready?: number
  readonly messages_unacknowledged?: number
  readonly consumers?: number
  readonly message_stats?: {
    readonly publish_details?: { readonly rate?: number }
    readonly deliver_get_details?: { readonly rate?: number }
  }
}

/** Milliseconds for an answer: it is for people who look. */
const PATIENCE = 2_000

/** The queues of the virtual host by name; undefined when there is no management API, or it does not answer. */
export async function readFigures(options: ResolvedRabbitMqOptions): Promise<Map<string, QueueFigures> | undefined> {
  const { managementUrl, addresses, credentials } = options
  if (managementUrl === undefined) return undefined
  const { username, password } = typeof credentials === 'function' ? await credentials() : credentials
  const vhost = encodeURIComponent(addresses[0]!.vhost)
  const columns = 'name,messages_ready,messages_unacknowledged,consumers,message_stats'
  try {
    const response = await fetch(`${managementUrl.replace(/\/$/, '')}/api/queues/${vhost}?columns=${columns}`, {
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
      signal: AbortSignal.timeout(PATIENCE),
    })
    if (!response.ok) return undefined
    const figures = (await response.json()) as QueueFigures[]
    return new Map(figures.map((queue) => [queue.name, queue]))
  } catch {
    // Away, or slow: what AMQP can tell is told without it.
    return undefined
  }
}
