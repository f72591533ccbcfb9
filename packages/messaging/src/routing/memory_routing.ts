import { type Clock, systemClock } from '@tailwater/core'
import type { ExchangeSpec, SubscriptionSpec } from '../backend/topology_port.ts'
import type { Listener, RoutingStore } from './routing_table.ts'

/** Declarations within one process. */
export function createMemoryRouting({ clock = systemClock }: { clock?: Clock } = {}): RoutingStore {
  const exchanges = new Map<string, ExchangeSpec>()
  const subscriptions = new Map<string, SubscriptionSpec>()
  const listeners = new Map<string, Listener & { until: number }>()
  let version = 0

  return {
    version: async () => String(version),
    read: async () => ({
      version: String(version),
      exchanges: [...exchanges.values()],
      subscriptions: [...subscriptions.values()],
      listeners: [...listeners.values()],
    }),
    async putExchange(exchange) {
      const standing = exchanges.get(exchange.name)
      if (standing) return standing
      version++
      exchanges.set(exchange.name, exchange)
      return exchange
    },
    async putSubscription(subscription) {
      version++
      subscriptions.set(subscription.name, subscription)
    },
    async removeSubscription(name) {
      version++
      return subscriptions.delete(name)
    },
    async putListener(listener, ttl) {
      const now = clock.elapsed()
      for (const [id, { until }] of listeners) if (until < now) listeners.delete(id)
      version++
      listeners.set(listener.id, { ...listener, until: now + ttl })
    },
    async removeListener(id) {
      version++
      listeners.delete(id)
    },
  }
}
