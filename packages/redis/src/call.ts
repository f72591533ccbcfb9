import { optionsError } from '@tailwater/core'
import type { RedisArgument, RedisClient, RedisPipeline } from './client.ts'
import type { Script } from './script.ts'

/** One command of a batch. */
export interface CommandCall {
  command: string
  args: readonly RedisArgument[]
  /** By which a cluster finds the node; for commands that have no key, or have it elsewhere. @default the first argument */
  key?: string
  /** Bulk replies as bytes instead of text. @default false */
  bytes?: boolean
}

/** One run of a script. */
export interface ScriptCall {
  script: Script
  keys: readonly string[]
  args?: readonly RedisArgument[]
  /** Bulk replies as bytes instead of text. @default false */
  bytes?: boolean
  /** What the script takes for now, in milliseconds since the Unix epoch; for scripts with `time`. @default the server's time */
  at?: number
}

/** Anything that can be part of a batch. */
export type Call = CommandCall | ScriptCall

/** A call as it goes over the wire. */
interface WireCall {
  command: string
  args: RedisArgument[]
  bytes: boolean
}

/** The call by the script's hash, or by its whole text, which also makes the server remember it. */
export function wireCall(call: Call, by: 'hash' | 'text'): WireCall {
  const { bytes = false } = call
  if ('command' in call) return { command: call.command, args: [...call.args], bytes }
  const { script, keys, args = [], at } = call
  if (keys.length < script.keys.length || (keys.length > script.keys.length && !script.hasRest))
    throw optionsError(`script ${script.name}`, `${script.keys.length} keys (${script.keys.join(', ')})`, keys.length)
  const time = script.time ? [at ?? ''] : []
  const [command, body] = by === 'hash' ? ['EVALSHA', script.sha1] : ['EVAL', script.source]
  return { command, args: [body, keys.length, ...keys, ...args, ...time], bytes }
}

/** The key that decides on which node of a cluster a call runs; undefined when it has none. */
export function keyOf(call: Call): string | Buffer | undefined {
  const key = 'command' in call ? (call.key ?? call.args[0]) : call.keys[0]
  return typeof key === 'number' ? String(key) : key
}

/** Sends one call on a client. */
export function sendCall(client: RedisClient, call: Call, by: 'hash' | 'text'): Promise<unknown> {
  const { command, args, bytes } = wireCall(call, by)
  return bytes ? client.callBuffer(command, args) : client.call(command, args)
}

/** Adds one call to a pipeline. */
export function queueCall(pipeline: RedisPipeline, call: Call, by: 'hash' | 'text'): void {
  const { command, args, bytes } = wireCall(call, by)
  if (bytes) pipeline.callBuffer(command, args)
  else pipeline.call(command, args)
}
