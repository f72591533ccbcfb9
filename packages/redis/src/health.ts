import { type Clock, toError } from '@tailwater/core'
import type { Call } from './call.ts'

/** How Redis is; fits a health check of `@tailwater/http`. */
export interface RedisHealth {
  state: 'up' | 'down'
  reason?: string
  details: Readonly<Record<string, unknown>>
}

/** Asks the server who it is: a reply proves the whole way there and back. */
export async function checkHealth(send: (call: Call) => Promise<unknown>, clock: Clock): Promise<RedisHealth> {
  const startedAt = clock.elapsed()
  try {
    const info = String(await send({ command: 'INFO', args: ['server'] }))
    const version = /(?:valkey|redis)_version:(\S+)/.exec(info)?.[1]
    return { state: 'up', details: { ms: Math.round((clock.elapsed() - startedAt) * 10) / 10, version } }
  } catch (error) {
    return { state: 'down', reason: toError(error).message, details: {} }
  }
}
