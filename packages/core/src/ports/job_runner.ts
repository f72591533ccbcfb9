/** What a job's handler is given. */
export interface JobContext<Payload> {
  readonly jobId: string
  readonly kind: string
  readonly payload: Payload
  /** 1 for the first attempt. */
  readonly attempt: number
  /** Aborts when the job is cancelled, times out, or its process stops. */
  readonly signal: AbortSignal
}

/** Options of one enqueued job. */
export interface EnqueueOptions<Tx> {
  /** The caller's transaction: the job exists only if it commits. */
  tx?: Tx
}

/** A kind of job that can be enqueued. */
export interface JobKind<Payload, Tx = unknown> {
  readonly kind: string
  /** Resolves to the job's id once it is stored. */
  enqueue(payload: Payload, options?: EnqueueOptions<Tx>): Promise<string>
}

/** What an engine that needs work done later asks for, without importing the jobs engine. */
export interface JobRunner<Tx = unknown> {
  define<Payload>(definition: {
    kind: string
    run(context: JobContext<Payload>): Promise<unknown>
  }): JobKind<Payload, Tx>
}
