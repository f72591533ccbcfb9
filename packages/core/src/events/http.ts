import { eventChannel } from '../channel.ts'

/** One answered request. */
export interface HttpRequestEvent {
  requestId: string
  method: string
  /** The route's pattern (`/products/:id`), never the path, so that labels stay few; undefined when none matched. */
  route: string | undefined
  /** The path without its query string. */
  path: string
  status: number
  /** Milliseconds from the first byte of the request handled to the last byte of the reply handed to the socket. */
  ms: number
  /** True when the client went away before the reply was complete. */
  aborted: boolean
  /** Bytes of the reply's body as sent, when known. */
  bytes: number | undefined
}

/** Every answered request, once, after its last byte or its abort. */
export const httpRequest = eventChannel<HttpRequestEvent>('tailwater:http:request')

/** A fault that a client sees only as a 5xx problem: what was thrown, for the log. */
export interface HttpErrorEvent {
  requestId: string
  method: string
  path: string
  status: number
  code: string
  error: Error
}

/** Every reply with a status of 500 and above that came from a thrown error. */
export const httpError = eventChannel<HttpErrorEvent>('tailwater:http:error')
