import type { Middleware } from '../middleware.ts'
import type { OperationOptions } from '../operation.ts'
import type { HostOptions } from '../options.ts'
import type { Route } from '../route.ts'

/** A server that answers on a free port. */
export interface Served {
  /** `http://127.0.0.1:…`, without a slash at its end. */
  url: string
  close(): Promise<void>
}

/** One framework with our adapter. */
export interface AdapterUnderTest {
  serve(routes: readonly Route[], options?: OperationOptions & { host?: HostOptions }): Promise<Served>
  /**
   * Serves these handlers, written as a user of the framework writes them, inside the middleware:
   *
   * - `GET /own/json` the JSON `{"own":true,"id":…}` with `currentContext()?.requestId` read after an await
   * - `GET /own/stream` the pieces `a`, `b`, `c` of a stream, one per turn of the event loop, as text/plain
   * - `GET /own/cookies` the text `ok` with the cookies `a=1` and `b=2`
   * - `GET /own/empty` status 204
   * - `GET /own/fail` throws an Error with the message `secret`
   * - `GET /own/items/:id` the text of the id
   * - `GET /own/events` one server-sent event `data: 1`, then silence until the client leaves
   * - `POST /own/echo` the body, as the framework's JSON parser reads it, as JSON
   */
  serveOwn(middleware: readonly Middleware[], host?: HostOptions): Promise<Served>
}

/** Clauses that a framework cannot keep, each with its reason. */
export type Exceptions = Readonly<Record<string, string>>
