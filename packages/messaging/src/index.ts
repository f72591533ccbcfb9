export type { ConsumePort, Consumer, DeathReason, Delivery, Settlement } from './backend/consume_port.ts'
export type { DeadLetter, DeadLetterPage, DeadLetterPort } from './backend/dead_letter_port.ts'
export type { InspectPort, SubscriptionState } from './backend/inspect_port.ts'
export type { Outgoing, PublishOutcome, PublishPort } from './backend/publish_port.ts'
export type { Reply, ReplyPort } from './backend/reply_port.ts'
export type { Binding, ExchangeSpec, ExchangeType, SubscriptionSpec, TopologyPort } from './backend/topology_port.ts'
export type { MessagingBackend } from './backend.ts'
export {
  createJobsMessaging,
  type JobsMessagingOptions,
  resolveJobsMessagingOptions,
} from './backends/jobs/jobs_messaging.ts'
export { createMemoryMessaging } from './backends/jobs/memory_messaging.ts'
export { type MessagingErrorCode, messagingError, PermanentMessageError } from './errors.ts'
export { type AttemptNote, type Level, levels, type Message } from './message.ts'
export { createMemoryRouting } from './routing/memory_routing.ts'
export type { Listener, RoutingStore, RoutingTable } from './routing/routing_table.ts'
