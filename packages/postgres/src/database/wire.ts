import type pg from 'pg'
import type { ColumnDescription, RowShape } from './row_shape.ts'

/**
 * The driver's protocol level, as far as its types leave it out: what pg-cursor and pg-query-stream build on too.
 *
 * A statement handed to `client.query` is asked to `submit` itself when its turn comes, and hears of each answer.
 */
export interface WireConnection {
  readonly stream: { cork?(): void; uncork?(): void }
  readonly parsedStatements: Record<string, string>
  readonly submittedNamedStatements: Record<string, string>
  parse(message: { text: string; name: string | undefined }): void
  bind(message: { statement: string | undefined; values: readonly WireValue[] }): void
  describe(message: { type: 'P'; name: string }): void
  execute(message: object): void
  sync(): void
  query(text: string): void
  sendCopyFail(message: string): void
}

/** A value as it goes over the wire. */
export type WireValue = string | Buffer | null

/** What the driver calls. */
export interface WireHandler {
  readonly name: string | undefined
  readonly text: string
  submit(connection: WireConnection): Error | null
  handleRowDescription(message: { fields: ColumnDescription[] }): void
  handleDataRow(message: { fields: (string | null)[] }): void
  handleCommandComplete(message: { text: string }): void
  handleEmptyQuery(): void
  handlePortalSuspended(): void
  handleCopyInResponse(connection: WireConnection): void
  handleCopyData(): void
  handleReadyForQuery(): void
  handleError(error: Error): void
}

/** The shapes of a client's named statements: a statement described once need not be described again. */
const shapes = new WeakMap<pg.Client, Map<string, RowShape>>()

/** The shapes known of a client's statements, by name. */
export function shapesOf(client: pg.Client): Map<string, RowShape> {
  let known = shapes.get(client)
  if (!known) {
    known = new Map()
    shapes.set(client, known)
  }
  return known
}

/** Whether a connection has prepared a statement under this name, and knows the shape of its rows. */
export function isDescribed(client: pg.Client, name: string, text: string): boolean {
  const { parsedStatements } = client.connection as unknown as WireConnection
  return parsedStatements[name] === text && shapesOf(client).has(name)
}
