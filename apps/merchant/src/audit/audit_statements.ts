import { statement } from '@tailwater/postgres'

/** The statements of the audit. */
export type AuditStatements = ReturnType<typeof auditStatements>

/** @param schema quoted and ready to interpolate */
export function auditStatements(schema: string) {
  return {
    // audit_entries_job_id_key
    insert: statement(
      'merchant_audit_insert',
      `INSERT INTO ${schema}.audit_entries (job_id, merchant_id, actor, action, subject, details, request_id, happened_at)
       SELECT e.job_id, e.merchant_id, e.actor, e.action, e.subject, e.details::jsonb, e.request_id, to_timestamp(e.at / 1000)
       FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::float8[])
         AS e (job_id, merchant_id, actor, action, subject, details, request_id, at)
       ON CONFLICT (job_id) DO NOTHING`,
    ),
  }
}
