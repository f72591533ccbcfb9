import { backgroundError, toError } from '@tailwater/core'
import type { RedisClient } from './client.ts'

/** Who listens to a channel. */
export interface ChannelListener {
  onMessage(message: string): void
  /**
   * Called each time the channel has become live, the first time too. Between two calls messages may have been missed: Redis keeps
   * none for those who are away.
   */
  onLive?(): void
}

/** Channels listened to over one connection; the link makes it again when it is lost. */
export interface ChannelSet {
  /** For the link: listens to all channels on a new connection, before it counts as ready. */
  prepare(client: RedisClient): Promise<void>
  add(channel: string, listener: ChannelListener): void
  /** Listens on a connection that is ready; again for a channel that is known does no harm. */
  listen(client: RedisClient, channel: string, listener: ChannelListener): Promise<void>
  remove(channel: string, listener: ChannelListener): void
  readonly size: number
}

/** Makes an empty set of channels. */
export function createChannelSet(): ChannelSet {
  const channels = new Map<string, Set<ChannelListener>>()

  return {
    get size() {
      return channels.size
    },
    async prepare(client) {
      client.on('message', (channel, message) => {
        for (const listener of channels.get(String(channel)) ?? []) guard(() => listener.onMessage(String(message)))
      })
      if (channels.size > 0) await client.subscribe(...channels.keys())
      for (const listeners of channels.values()) for (const listener of listeners) guard(() => listener.onLive?.())
    },
    add(channel, listener) {
      const listeners = channels.get(channel)
      if (listeners) listeners.add(listener)
      else channels.set(channel, new Set([listener]))
    },
    async listen(client, channel, listener) {
      await client.subscribe(channel)
      guard(() => listener.onLive?.())
    },
    remove(channel, listener) {
      const listeners = channels.get(channel)
      listeners?.delete(listener)
      // The subscription itself stays until the connection ends: UNSUBSCRIBE could cross a new one for the same channel.
      if (listeners?.size === 0) channels.delete(channel)
    },
  }
}

function guard(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'redis-subscriber', error: toError(error) })
  }
}
