import {
  backgroundError,
  type Cancel,
  type Clock,
  createService,
  type JobKind,
  type Service,
  toError,
} from '@tailwater/core'
import { problem } from '@tailwater/http'
import { type Database, type SqlExecutor, statement } from '@tailwater/postgres'
import { referenceOf } from './checkout.ts'
import { answerOfRefusal, type Claim } from './idempotency.ts'

/** Milliseconds between two looks. */
const INTERVAL = 60_000

/** Claims settled in one transaction, and keys deleted in one statement: short locks. */
const BATCH = 500

/** The statements of the sweep. */
export type AbandonedStatements = ReturnType<typeof abandonedStatements>

/**
 * A claim is abandoned after 15 minutes: far longer than any provider takes, and `hold` keeps even a slower
 * checkout from being confirmed after it was settled. Answers are kept for 30 days.
 *
 * @param schema quoted and ready to interpolate
 */
export function abandonedStatements(schema: string) {
  return {
    // idempotency_keys_open
    settle: statement(
      'merchant_checkouts_settle_abandoned',
      `WITH abandoned AS MATERIALIZED (
         SELECT merchant_id, key FROM ${schema}.idempotency_keys
         WHERE status IS NULL AND created_at < now() - interval '15 minutes'
         ORDER BY created_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
       )
       UPDATE ${schema}.idempotency_keys k SET status = $1, body = $2::text::json
       FROM abandoned WHERE k.merchant_id = abandoned.merchant_id AND k.key = abandoned.key
       RETURNING k.merchant_id::float8 AS "merchantId", k.key, k.request_hash AS "requestHash"`,
    ),
    // idempotency_keys_settled
    forget: statement(
      'merchant_checkouts_forget_keys',
      `WITH old AS MATERIALIZED (
         SELECT merchant_id, key FROM ${schema}.idempotency_keys
         WHERE status IS NOT NULL AND created_at < now() - interval '30 days'
         ORDER BY created_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
       )
       DELETE FROM ${schema}.idempotency_keys k
       USING old WHERE k.merchant_id = old.merchant_id AND k.key = old.key`,
    ),
  }
}

/** What the sweep needs. */
export interface SweepParts {
  database: Database
  statements: AbandonedStatements
  release: JobKind<{ reference: string }, SqlExecutor>
}

/** Settles checkouts that a crash left behind and lets their money go. Any number of processes may sweep at once. */
export async function sweepAbandonedCheckouts({ database, statements, release }: SweepParts): Promise<number> {
  const answer = answerOfRefusal(
    problem(409, 'E_IDEMPOTENCY_KEY_EXPIRED', 'The checkout was interrupted and not repeated in time. Use a new key.'),
  )
  const settled = await database.transaction(async (tx) => {
    const { rows } = await tx.query<Claim>(statements.settle, [answer.status, JSON.stringify(answer.body)])
    for (const claim of rows) await release.enqueue({ reference: referenceOf(claim) }, { tx })
    return rows.length
  })
  await database.query(statements.forget)
  return settled
}

/** Sweeps once a minute while it is started; what goes wrong is published, and tried again a minute later. */
export function createCheckoutSweeper(parts: SweepParts & { clock: Clock }): Service {
  let cancel: Cancel = () => {}
  let sweeping: Promise<unknown> | undefined
  function sweepLater() {
    cancel = parts.clock.after(INTERVAL, () => {
      sweepLater()
      sweeping ??= sweepAbandonedCheckouts(parts)
        .catch(publishFault)
        .finally(() => {
          sweeping = undefined
        })
    })
  }
  return createService('abandoned checkouts', {
    start: sweepLater,
    async stop() {
      cancel()
      await sweeping
    },
  })
}

function publishFault(fault: unknown): void {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'merchant', error: toError(fault) })
}
