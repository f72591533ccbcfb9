/** What an error carries beside its message: plain, loggable fields, and the error beneath it. */
export interface ErrorDetails {
  cause?: unknown
  [field: string]: unknown
}

/**
 * The base of every error this project throws. Callers match on `code`, which is stable across
 * releases and documented in docs/errors.md; the message is for people and may change.
 */
export class TailwaterError<Code extends string = string> extends Error {
  override readonly name = 'TailwaterError'
  readonly code: Code
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: Code, message: string, { cause, ...details }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}

/** Narrows an unknown error by code; works across copies of the package. */
export function hasCode<Code extends string>(error: unknown, code: Code): error is TailwaterError<Code> {
  return error instanceof Error && 'code' in error && error.code === code
}

/** Makes an `Error` of whatever was thrown, so that it can be logged or kept as a cause. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(textOf(thrown))
}

/** What has no text of its own, such as an object without a prototype, is named by what it is: to tell of a failure must not fail. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown)
  } catch {
    return Object.prototype.toString.call(thrown)
  }
}
