import { type Clock, hasCode, TailwaterError, toError } from '@tailwater/core'
import { PermanentError } from '@tailwater/jobs'
import type { MerchantErrorCode } from '../errors.ts'

/** One call of somebody else's API. */
export interface JsonPost {
  url: string
  body: string
  headers?: Readonly<Record<string, string>>
  /** Milliseconds until an answer must be there whole. */
  timeout: number
  clock: Clock
  /** Of the error when the other side cannot be reached, takes too long, or answers with 408, 429 or 5xx. */
  code: MerchantErrorCode
  signal?: AbortSignal | undefined
}

/** Bytes of an answer at most: whoever sends more sends something else than an answer. */
const MOST_BYTES = 1_000_000

/**
 * Posts JSON and reads JSON.
 *
 * @returns what was answered; undefined where the answer has no body
 * @throws an error of `code`, which another attempt may help; PermanentError where the request itself was refused
 */
export async function postJson({ url, body, headers, timeout, clock, code, signal }: JsonPost): Promise<unknown> {
  const late = new AbortController()
  const cancel = clock.after(timeout, () => late.abort(new TailwaterError(code, `no answer within ${timeout} ms`)))
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body,
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
    })
    const text = await readText(response, code)
    if (!response.ok) throw refused(response.status, code)
    return text === '' ? undefined : parsed(text, code)
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof PermanentError || hasCode(error, code)) throw error
    const cause = toError(error)
    throw new TailwaterError(code, `no answer from ${new URL(url).host}: ${reasonOf(cause)}`, { cause })
  } finally {
    cancel()
  }
}

async function readText({ body }: Response, code: MerchantErrorCode): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MOST_BYTES) throw new TailwaterError(code, `an answer of more than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parsed(text: string, code: MerchantErrorCode): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TailwaterError(code, 'the answer is no JSON', { cause: toError(cause) })
  }
}

/** What was wrong with the request stays wrong; what was wrong with the other side passes. */
function refused(status: number, code: MerchantErrorCode): Error {
  const isTheirs = status >= 500 || status === 408 || status === 429
  return isTheirs
    ? new TailwaterError(code, `the other side answered ${status}`, { status })
    : new PermanentError(`the other side refused the request with ${status}`, { status })
}

/** fetch says only that it failed, and hides why in its cause. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message
}
