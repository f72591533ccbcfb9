import { createHash } from 'node:crypto'
import { HttpProblem, problem } from '@tailwater/http'
import type { Queryable } from '@tailwater/postgres'
import { statement } from '@tailwater/postgres'

/** A request that its sender may repeat without repeating its effect. */
export interface Claim {
  merchantId: number
  /** Of the sender's choice: the `Idempotency-Key` header. */
  key: string
  /** Of everything that makes the request what it is; the same key with another one is a mistake of the sender. */
  requestHash: Buffer
}

/** The answer kept under a key. From 400 up, `body` is a refusal. */
export interface Answer {
  status: number
  body: object
}

interface StoredClaim {
  same: boolean
  status: number | null
  body: object | null
}

/** The statements of idempotency keys. */
export type IdempotencyStatements = ReturnType<typeof idempotencyStatements>

/** @param schema quoted and ready to interpolate */
export function idempotencyStatements(schema: string) {
  const stored = 'request_hash = $3 AS same, status, body'
  return {
    // The update changes nothing: it makes RETURNING give the row that is there, and waits for whoever is just answering it.
    claim: statement(
      'merchant_idempotency_claim',
      `INSERT INTO ${schema}.idempotency_keys AS k (merchant_id, key, request_hash) VALUES ($1, $2, $3)
       ON CONFLICT (merchant_id, key) DO UPDATE SET key = k.key
       RETURNING k.request_hash = $3 AS same, k.status, k.body`,
    ),
    hold: statement(
      'merchant_idempotency_hold',
      `SELECT ${stored} FROM ${schema}.idempotency_keys WHERE merchant_id = $1 AND key = $2 FOR UPDATE`,
    ),
    settle: statement(
      'merchant_idempotency_settle',
      `UPDATE ${schema}.idempotency_keys SET status = $3, body = $4::text::json, order_id = $5
       WHERE merchant_id = $1 AND key = $2`,
    ),
  }
}

/** The fingerprint of a request; `operation` keeps a key from meaning two things. */
export function hashRequest(operation: string, body: unknown): Buffer {
  return createHash('sha256')
    .update(`${operation}\n${JSON.stringify(body)}`)
    .digest()
}

/**
 * Answers each key once.
 *
 * A claim is only a mark that somebody began: it is not owned, so one left by a crash is simply taken up by the next
 * request with its key. What makes the answer one is `hold`, a row lock in the transaction that writes it.
 */
export function createIdempotency(statements: IdempotencyStatements) {
  const values = (claim: Claim) => [claim.merchantId, claim.key, claim.requestHash]
  return {
    /**
     * Marks the key as begun, and gives its answer if it has one.
     * @throws E_IDEMPOTENCY_KEY_REUSED when the key stands for another request
     */
    async claim(database: Queryable, claim: Claim): Promise<Answer | undefined> {
      const { rows } = await database.query<StoredClaim>(statements.claim, values(claim))
      return answerIn(rows[0])
    },
    /** Locks the key until the transaction ends, and gives its answer if it has one by now. */
    async hold(tx: Queryable, claim: Claim): Promise<Answer | undefined> {
      const { rows } = await tx.query<StoredClaim>(statements.hold, values(claim))
      return answerIn(rows[0])
    },
    /** Keeps the answer of a held key. */
    async settle(tx: Queryable, claim: Claim, answer: Answer, orderId: number | null = null): Promise<void> {
      await tx.query(statements.settle, [
        claim.merchantId,
        claim.key,
        answer.status,
        JSON.stringify(answer.body),
        orderId,
      ])
    },
  }
}

/** What `createIdempotency` gives. */
export type Idempotency = ReturnType<typeof createIdempotency>

function answerIn(stored: StoredClaim | undefined): Answer | undefined {
  if (!stored) throw problem(409, 'E_IDEMPOTENCY_KEY_EXPIRED', 'This idempotency key is no longer kept. Use a new one.')
  if (!stored.same)
    throw problem(422, 'E_IDEMPOTENCY_KEY_REUSED', 'This idempotency key was used for another request.', {
      errors: [{ path: '/headers/idempotency-key', message: 'was used for another request', code: 'reused' }],
    })
  return stored.status === null ? undefined : { status: stored.status, body: stored.body! }
}

/** A refusal that will be the same the next time: the client's doing, not a fault of ours. */
export function isRefusal(error: unknown): error is HttpProblem {
  return error instanceof HttpProblem && error.status < 500
}

/** A refusal as it is kept. */
export function answerOfRefusal({ status, code, message, errors }: HttpProblem): Answer {
  return { status, body: { code, detail: message, ...(errors && { errors }) } }
}

/** Tells a kept refusal again. */
export function refusalIn({ status, body }: Answer): HttpProblem | undefined {
  if (status < 400) return undefined
  const { code, detail, errors } = body as { code: string; detail: string; errors?: HttpProblem['errors'] }
  return problem(status, code, detail, errors ? { errors } : {})
}
