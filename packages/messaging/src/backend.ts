import type { Service } from '@tailwater/core'
import type { ConsumePort } from './backend/consume_port.ts'
import type { DeadLetterPort } from './backend/dead_letter_port.ts'
import type { InspectPort } from './backend/inspect_port.ts'
import type { PublishPort } from './backend/publish_port.ts'
import type { ReplyPort } from './backend/reply_port.ts'
import type { TopologyPort } from './backend/topology_port.ts'

/**
 * What carries messages. The engine above it (schemas, attempts, timeouts, policies, inbox, requests) is the same for every backend.
 *
 * Promises, checked by `messagingBackendContract` in `@tailwater/messaging/testing`:
 * - A message whose publish was confirmed is given to every durable subscription whose bindings matched it when it was published, at least once,
 *   until it is settled as done or dead, whatever happens to consumers.
 * - What is settled as dead is in the dead letters before it is gone from the subscription.
 * - A subscription that was declared before a publish began, by whichever process, is seen by it.
 * - A message that waits (delayed, or to be tried again) holds nobody else up.
 * - Within one level and subscription messages are first given in the order of their publishing by one publisher.
 * - Connections heal by themselves: topology, consumers and unconfirmed publishes are made again.
 */
export interface MessagingBackend extends Service {
  readonly name: 'jobs' | 'rabbitmq'
  readonly topology: TopologyPort
  readonly publish: PublishPort
  readonly consume: ConsumePort
  readonly replies: ReplyPort
  readonly deadLetters: DeadLetterPort
  readonly inspect: InspectPort
}
