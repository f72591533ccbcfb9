import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * What is known of the request (or job) being served, wherever the code has got to.
 *
 * Put `requestId` and `traceparent` into a message when work is queued or coalesced; read later,
 * in a flush or a shared load, they would be somebody else's.
 */
export interface RequestContext {
  /** Unique per request; taken from a trusted `x-request-id`, or a new UUIDv7. */
  readonly requestId: string
  /** W3C Trace Context, version 00: `00-<32 hex trace id>-<16 hex span id>-<2 hex flags>`. */
  readonly traceparent?: string
  /** Passed on as it came. */
  readonly tracestate?: string
}

const storage = new AsyncLocalStorage<RequestContext>()

/** The context of the running request or job, or undefined outside one. */
export function currentContext(): RequestContext | undefined {
  return storage.getStore()
}

/** Runs `body`, and everything it awaits, within `context`. */
export function runInContext<T>(context: RequestContext, body: () => T): T {
  return storage.run(context, body)
}

/** Runs `body` in no context: for loops that a request happens to set going, and that outlive it. */
export function runOutsideContext<T>(body: () => T): T {
  return storage.exit(body)
}
