import type { Clock } from '@tailwater/core'
import type { JobRequest, Jobs, RunningJob } from '@tailwater/jobs'
import type { Database, Transaction } from '@tailwater/postgres'
import type { Caller } from '../accounts/caller.ts'
import { ownerTag } from '../queues/ownership.ts'
import type { AuditStatements } from './audit_statements.ts'

/** Something that was done. */
export interface AuditEntry {
  merchantId: number
  /** Who did it. */
  actor: string
  /** `order.placed` */
  action: string
  /** What it was done to: `order:7`. */
  subject?: string
  details?: Readonly<Record<string, unknown>>
}

/** Keeps what was done. */
export interface AuditTrail {
  /** Within the transaction that does it: what was not done is not written. */
  record(tx: Transaction, entry: AuditEntry): Promise<void>
  /** The same, as a part of a flow. */
  job(entry: AuditEntry): JobRequest
}

/** What the trail is made of. */
export interface AuditParts {
  database: Database
  statements: AuditStatements
  clock: Clock
}

type StoredEntry = AuditEntry & { at: number }

/** How a caller stands in the trail. */
export function actorOf(caller: Caller | undefined): string {
  if (!caller) return 'nobody'
  return caller.kind === 'admin' ? `admin:${caller.id}` : `key:${caller.keyId}`
}

/** The trail, written by jobs, many entries at once: what is audited waits for none of it. */
export function defineAuditTrail(jobs: Jobs, { database, statements, clock }: AuditParts): AuditTrail {
  const kind = jobs.define<StoredEntry>({
    kind: 'audit-entry',
    queue: 'audit',
    batch: { size: 100 },
    async runBatch(entries) {
      await database.query(statements.insert, columnsOf(entries))
    },
  })
  const stored = (entry: AuditEntry): StoredEntry => ({ ...entry, at: clock.now() })
  const options = ({ merchantId }: AuditEntry) => ({ tags: [ownerTag(merchantId)] })
  return {
    async record(tx, entry) {
      await kind.enqueue(stored(entry), { tx, ...options(entry) })
    },
    job: (entry) => kind.job(stored(entry), options(entry)),
  }
}

function columnsOf(jobs: readonly RunningJob<StoredEntry>[]): unknown[] {
  const of = (read: (job: RunningJob<StoredEntry>) => unknown) => jobs.map(read)
  return [
    of((job) => job.jobId),
    of(({ payload }) => payload.merchantId),
    of(({ payload }) => payload.actor),
    of(({ payload }) => payload.action),
    of(({ payload }) => payload.subject ?? null),
    of(({ payload }) => JSON.stringify(payload.details ?? {})),
    of(({ requestId }) => requestId ?? null),
    of(({ payload }) => payload.at),
  ]
}
