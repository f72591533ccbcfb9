import type { JobRunner } from '@tailwater/core'
import type { SqlExecutor } from '@tailwater/postgres'
import type { PaymentProvider, RefundRequest } from './payment_provider.ts'

/**
 * The jobs that give money back.
 *
 * Enqueued in the transaction that decides it, they run until the provider has heard: at least once, which its
 * references make safe.
 */
export function defineSettlement(jobs: JobRunner<SqlExecutor>, payments: PaymentProvider) {
  return {
    release: jobs.define<{ reference: string }>({
      kind: 'payment-release',
      run: ({ payload, signal }) => payments.release(payload.reference, { signal }),
    }),
    refund: jobs.define<RefundRequest>({
      kind: 'payment-refund',
      run: ({ payload, signal }) => payments.refund(payload, { signal }),
    }),
  }
}
