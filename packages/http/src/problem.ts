import { STATUS_CODES } from 'node:http'
import { TailwaterError } from '@tailwater/core'
import type { Exchange, Reply } from './exchange.ts'

/** One field that is wrong, by JSON pointer into the request: `/body/price`, `/query/limit`. */
export interface FieldError {
  path: string
  message: string
  /** The rule that was broken: `type`, `required`, `unknown`, `minimum`, … */
  code: string
}

/** What else a problem carries beside its code and text. */
export interface ProblemExtras {
  headers?: Record<string, string>
  errors?: readonly FieldError[]
  cause?: unknown
}

/**
 * An error that a client is told of as it is: status, stable code and text (RFC 9457).
 *
 * Anything else that is thrown becomes a 500 that says nothing of the inside.
 */
export class HttpProblem<Code extends string = string> extends TailwaterError<Code> {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly errors: readonly FieldError[] | undefined

  constructor(status: number, code: Code, detail: string, extras: ProblemExtras = {}) {
    super(code, detail, extras.cause === undefined ? {} : { cause: extras.cause })
    this.status = status
    this.headers = extras.headers ?? {}
    this.errors = extras.errors
  }
}

/**
 * Makes a problem to throw.
 *
 * @example
 * throw problem(404, 'E_NOT_FOUND', `There is no product ${id}.`)
 */
export function problem<Code extends string>(
  status: number,
  code: Code,
  detail: string,
  extras?: ProblemExtras,
): HttpProblem<Code> {
  return new HttpProblem(status, code, detail, extras)
}

/** The body of a problem reply. */
export interface ProblemBody {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: string
  requestId: string
  errors?: readonly FieldError[]
}

/** The reply that tells a client of a problem, as `application/problem+json`. */
export function problemReply(problem: HttpProblem, exchange: Pick<Exchange, 'path' | 'context'>): Reply {
  const body: ProblemBody = {
    type: `urn:tailwater:error:${problem.code}`,
    title: STATUS_CODES[problem.status] ?? 'Error',
    status: problem.status,
    detail: problem.message,
    instance: exchange.path,
    code: problem.code,
    requestId: exchange.context.requestId,
  }
  if (problem.errors) body.errors = problem.errors
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...problem.headers },
    body: JSON.stringify(body),
  }
}
