import { statement } from '@tailwater/postgres'

/** What is read of a notification. */
export const NOTIFICATION_COLUMNS = `n.id::float8 AS id, n.merchant_id::float8 AS "merchantId", n.topic, n.title, n.text, n.link,
  n.created_at AS "createdAt", n.read_at AS "readAt"`

/** The statements of inboxes. */
export type NotificationStatements = ReturnType<typeof notificationStatements>

/** @param schema quoted and ready to interpolate */
export function notificationStatements(schema: string) {
  return {
    // notifications_merchant_id_key_key: a job that runs twice notifies once.
    insert: statement(
      'merchant_notification_insert',
      `INSERT INTO ${schema}.notifications (merchant_id, key, topic, title, text, link) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (merchant_id, key) DO NOTHING RETURNING id::float8 AS id`,
    ),
    // notifications_pkey, merchants_pkey, notification_preferences_pkey
    toSend: statement(
      'merchant_notification_to_send',
      `SELECT n.id::float8 AS id, n.topic, n.title, n.text, n.link, m.name AS merchant, p.email, p.phone
       FROM ${schema}.notifications n
       JOIN ${schema}.merchants m ON m.id = n.merchant_id
       LEFT JOIN ${schema}.notification_preferences p ON p.merchant_id = n.merchant_id
       WHERE n.id = $1`,
    ),
    // notifications_pkey
    read: statement(
      'merchant_notification_read',
      `UPDATE ${schema}.notifications n SET read_at = coalesce(n.read_at, now())
       WHERE n.id = $1 AND ($2::bigint IS NULL OR n.merchant_id = $2) RETURNING ${NOTIFICATION_COLUMNS}`,
    ),
    // notification_preferences_pkey
    preferences: statement(
      'merchant_notification_preferences',
      `SELECT email, phone, by_email AS "byEmail", by_sms AS "bySms"
       FROM ${schema}.notification_preferences WHERE merchant_id = $1`,
    ),
    setPreferences: statement(
      'merchant_notification_set_preferences',
      `INSERT INTO ${schema}.notification_preferences (merchant_id, email, phone, by_email, by_sms) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (merchant_id) DO UPDATE SET email = excluded.email, phone = excluded.phone,
         by_email = excluded.by_email, by_sms = excluded.by_sms, updated_at = now()`,
    ),
  }
}
