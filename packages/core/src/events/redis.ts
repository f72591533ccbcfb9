import { eventChannel } from '../channel.ts'

/** A change in the state of a connection to Redis. */
export interface RedisConnectionEvent {
  /** The connection's purpose: `commands`, `subscriber`, or the name it was opened with. */
  label: string
  change: 'connected' | 'lost' | 'failed' | 'closed'
  /** Where it leads, without credentials. */
  target: string
  error?: Error
}

/** Connections to Redis opened, lost, closed, and attempts that failed. */
export const redisConnection = eventChannel<RedisConnectionEvent>('tailwater:redis:connection')
