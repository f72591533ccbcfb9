/** What a command's arguments may be. */
export type RedisArgument = string | number | Buffer

/** Replies of a pipeline, in the order of its commands. */
export type PipelineReplies = [error: Error | null, reply: unknown][] | null

/** Commands sent together. */
export interface RedisPipeline {
  call(command: string, args: RedisArgument[]): unknown
  callBuffer(command: string, args: RedisArgument[]): unknown
  exec(): Promise<PipelineReplies>
}

/** One node of a cluster. */
export interface RedisNode {
  readonly options: { readonly host?: string | undefined; readonly port?: number | undefined }
  call(command: string, args: RedisArgument[]): Promise<unknown>
}

/**
 * The part of an ioredis client (`Redis` or `Cluster`) that we use.
 *
 * Structural, so that users pass their own client, of whichever copy of the package. What is passed in is never closed by us.
 */
export interface RedisClient {
  readonly status: string
  readonly isCluster: boolean
  /** Which nodes serve each slot, the master first; of a cluster only. */
  readonly slots?: readonly (readonly string[])[]
  /** Clients of the single masters; of a cluster only. */
  nodes?(role: 'master'): readonly RedisNode[]
  call(command: string, args: RedisArgument[]): Promise<unknown>
  callBuffer(command: string, args: RedisArgument[]): Promise<unknown>
  pipeline(): RedisPipeline
  subscribe(...channels: string[]): Promise<unknown>
  connect(): Promise<void>
  quit(): Promise<unknown>
  disconnect(): void
  on(event: string, listener: (...parameters: unknown[]) => void): unknown
  off(event: string, listener: (...parameters: unknown[]) => void): unknown
}
