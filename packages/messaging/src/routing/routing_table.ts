import type { Binding, ExchangeSpec, SubscriptionSpec } from '../backend/topology_port.ts'

/** Who listens without a queue, and until when it is taken for alive. */
export interface Listener {
  readonly id: string
  readonly bindings: readonly Binding[]
}

/** All that is declared, at one version. */
export interface RoutingTable {
  readonly version: string
  readonly exchanges: readonly ExchangeSpec[]
  readonly subscriptions: readonly SubscriptionSpec[]
  readonly listeners: readonly Listener[]
}

/**
 * Where declarations are kept for all processes.
 *
 * Promises: each change gives the table a version that it never had before; `version` is cheap, because every batch of publishes asks for it.
 */
export interface RoutingStore {
  version(): Promise<string>
  read(): Promise<RoutingTable>
  /** Keeps an exchange if there is none of its name; the one that stands. */
  putExchange(exchange: ExchangeSpec): Promise<ExchangeSpec>
  putSubscription(subscription: SubscriptionSpec): Promise<void>
  /** False if there was none. */
  removeSubscription(name: string): Promise<boolean>
  /** Keeps a listener for `ttl` milliseconds from now, by the store's clock, and forgets those whose time is over. */
  putListener(listener: Listener, ttl: number): Promise<void>
  removeListener(id: string): Promise<void>
}
