import type { Binding, ExchangeSpec } from './topology_port.ts'

/** A durable subscription as the store sees it. */
export interface SubscriptionState {
  readonly name: string
  readonly bindings: readonly Binding[]
  /** Messages that wait to be given, those that are delayed or to be tried again included where the store can count them. */
  readonly waiting: number
  /** Given and not settled; undefined where the store cannot tell. */
  readonly unsettled: number | undefined
  readonly consumers: number | undefined
  readonly dead: number
  /** Messages a second, over the last minute or so; undefined where the store does not tell. */
  readonly rates: { readonly in: number | undefined; readonly out: number | undefined }
  /** Milliseconds that the oldest waiting message has waited; undefined where the store cannot tell, or nothing waits. */
  readonly oldest: number | undefined
}

/** What there is, and how it goes. */
export interface InspectPort {
  exchanges(): Promise<ExchangeSpec[]>
  subscriptions(): Promise<SubscriptionState[]>
  /** @returns undefined when there is none of this name */
  subscription(name: string): Promise<SubscriptionState | undefined>
  /** How many wait in a subscription, quickly: what consumers are scaled by. */
  waiting(name: string): Promise<number>
  /** Whether the store can be reached now, and whether it takes messages. */
  health(): Promise<{ readonly isUp: boolean; readonly isBlocked: boolean; readonly detail: string }>
}
